from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from receiving import receive

app = FastAPI()


@app.post("/webhook")
async def webhook(request: Request):
    return Response(status_code=await run_in_threadpool(receive, await request.body(), request.headers))
