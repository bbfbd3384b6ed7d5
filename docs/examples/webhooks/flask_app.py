from flask import Flask, Response, request

from receiving import receive

app = Flask(__name__)


@app.post("/webhook")
def webhook():
    # get_data() before request.form or request.json: those use the body up, or write it anew.
    return Response(status=receive(request.get_data(), request.headers))
