// What each library of Node.js says of the webhooks on standard input: one JSON line for each.
import { readFileSync } from "node:fs";
import * as portone from "@portone/server-sdk";
import * as standard from "standardwebhooks";
import * as svix from "svix";

const checks = {
  standardwebhooks: (secret, body, headers) => new standard.Webhook(secret).verify(body, headers),
  "standardwebhooks, not parsed": (secret, body, headers) => new standard.Webhook(secret).verify(body, headers, { jsonParse: false }),
  svix: (secret, body, headers) => new svix.Webhook(secret).verify(body, headers),
  portone: (secret, body, headers) => portone.Webhook.verify(secret, body, headers),
};

const cases = JSON.parse(readFileSync(0, "utf8"));
for (const [library, check] of Object.entries(checks)) {
  for (const asked of cases) {
    let said = "taken";
    try {
      await check(asked.secret, asked.body, asked.headers);
    } catch (error) {
      said = error.constructor.name;
    }
    console.log(JSON.stringify({ library, case: asked.name, said }));
  }
}
