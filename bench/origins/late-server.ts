import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { serveForked } from './forked-origin.ts'
import type { LateOriginFacts, LateOriginOptions } from './late-origin.ts'

// A bare HTTP/1.1 server: node:http would cost more than the clients that are measured.
const options: LateOriginOptions = JSON.parse(process.argv[2] ?? '')
const answers = readAnswers(options.root)
const missing = Buffer.from('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
let requests = 0
let connections = 0
let active = 0
let maxActive = 0
let lateMs: number[] = []
let cpuBefore = process.cpuUsage()

const server = createServer({ noDelay: true }, (socket) => {
  connections++
  let text = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
      answerLater(text.slice(0, end), socket)
      text = text.slice(end + 4)
    }
  })
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  serveForked(`http://127.0.0.1:${port}`, takeFacts)
})

function answerLater(head: string, socket: Socket): void {
  requests++
  maxActive = Math.max(maxActive, ++active)
  const path = head.slice(head.indexOf(' ') + 1, head.indexOf(' ', head.indexOf(' ') + 1))
  const closes = /\r\nconnection: *close/i.test(head)
  const due = performance.now() + options.delayMs
  setTimeout(() => {
    active--
    lateMs.push(performance.now() - due)
    if (socket.destroyed) return
    socket.write(answers.get(path) ?? missing)
    if (closes) socket.end()
  }, options.delayMs)
}

function readAnswers(root: string): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>()
  for (const name of readdirSync(root)) {
    const bytes = readFileSync(join(root, name))
    const facts = `Content-Type: application/octet-stream\r\nETag: "${name}"`
    const head = `HTTP/1.1 200 OK\r\n${facts}\r\nContent-Length: ${bytes.length}\r\n\r\n`
    found.set(`/${name}`, Buffer.concat([Buffer.from(head, 'latin1'), bytes]))
  }
  return found
}

function takeFacts(): LateOriginFacts {
  const cpu = process.cpuUsage(cpuBefore)
  const sorted = lateMs.toSorted((a, b) => a - b)
  const facts = {
    requests,
    connections,
    maxActive,
    lateMsP99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    cpuMs: (cpu.user + cpu.system) / 1000,
  }
  requests = connections = maxActive = 0
  lateMs = []
  cpuBefore = process.cpuUsage()
  return facts
}
