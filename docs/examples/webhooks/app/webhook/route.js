// app/webhook/route.js
import { receive } from "../../receiving.mjs";

export async function POST(request) {
  const status = await receive(await request.text(), Object.fromEntries(request.headers));
  return new Response(null, { status });
}
