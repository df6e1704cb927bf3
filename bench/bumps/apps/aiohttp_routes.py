"""302 routes with a variable part; the last one is asked for."""

import sys

from aiohttp import web


async def answer(request):
    return web.Response(text=request.match_info["key"])


app = web.Application()
for number in range(302):
    app.router.add_get(f"/part{number}/{{key}}", answer)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
