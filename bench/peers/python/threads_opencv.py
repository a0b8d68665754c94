"""Images of a list, two processes of 32 threads: urllib3 fetches, OpenCV makes them small. Arguments: list, folder."""
import multiprocessing
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy
import urllib3

SIZE = 256
PROCESSES = 2
THREADS = 32


def make_small(data, path):
    image = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    scale = SIZE / max(width, height)
    image = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])
    with open(path, "wb") as file:
        file.write(encoded.tobytes())


def work(part):
    cv2.setNumThreads(1)
    pool = urllib3.PoolManager(maxsize=THREADS)

    def one(job):
        url, path = job
        make_small(pool.request("GET", url).data, path)

    with ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(one, part):
            pass


if __name__ == "__main__":
    list_path, folder = sys.argv[1:3]
    with open(list_path) as lines:
        urls = lines.read().split()
    jobs = [(url, os.path.join(folder, f"{i:09}.jpg")) for i, url in enumerate(urls)]
    with multiprocessing.Pool(PROCESSES) as processes:
        processes.map(work, [jobs[i::PROCESSES] for i in range(PROCESSES)])
