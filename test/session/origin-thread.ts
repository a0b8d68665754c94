/** A fault origin in a thread: says its URL, and serves 5,000 bytes under every path but those of `/missing/`. */
import { parentPort } from 'node:worker_threads'
import { body, createFaultOrigin, respond } from '../../src/testing/index.ts'

const origin = await createFaultOrigin()
origin.route('/*', (request) => respond.withRange(body(request.path, 5000))(request))
origin.route('/missing/*', respond.status(404))
parentPort?.postMessage(origin.url, [])
