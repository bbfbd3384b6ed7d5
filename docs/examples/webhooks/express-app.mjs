import express from "express";
import { receive } from "./receiving.mjs";

const app = express();

// express.text for every type: express.json and express.urlencoded would hand over what they parsed, not what came.
app.post("/webhook", express.text({ type: () => true }), async (request, response) => {
  response.sendStatus(await receive(request.body ?? "", request.headers));
});

app.listen(process.env.PORT ?? 3000, "127.0.0.1");
