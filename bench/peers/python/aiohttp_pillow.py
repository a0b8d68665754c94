"""Images of a list, one event loop: aiohttp fetches, Pillow makes them small. Arguments: list, folder."""
import asyncio
import io
import os
import sys

import aiohttp
from PIL import Image

SIZE = 256


def make_small(data, path):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    scale = SIZE / max(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.LANCZOS)
    image.save(path, "JPEG", quality=95)


async def download(session, url, path):
    async with session.get(url) as response:
        make_small(await response.read(), path)


async def main(list_path, folder):
    with open(list_path) as lines:
        urls = lines.read().split()
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(
            *(download(session, url, os.path.join(folder, f"{i:09}.jpg")) for i, url in enumerate(urls))
        )


asyncio.run(main(*sys.argv[1:3]))
