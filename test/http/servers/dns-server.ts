import { createSocket } from 'node:dgram'

/** Answers for one name. `fail` is a response code of DNS: 2 SERVFAIL, 3 NXDOMAIN. */
export interface DnsAnswer {
  readonly a?: readonly string[]
  /** Eight groups of four hexadecimal digits, joined by colons. */
  readonly aaaa?: readonly string[]
  readonly ttlS?: number
  readonly fail?: number
}

/** A DNS server on a free UDP port of 127.0.0.1. */
export interface TestDns {
  readonly address: string
  /** Questions so far, as `A name` or `AAAA name`. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

/** Serves a small table (RFC 1035, the part that is needed). Unknown names are NXDOMAIN. */
export async function startDnsServer(table: Readonly<Record<string, DnsAnswer>>): Promise<TestDns> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => {
    const { name, type, questionEnd } = readQuestion(message)
    asked.push(`${type === 28 ? 'AAAA' : 'A'} ${name}`)
    const answer = table[name] ?? { fail: 3 }
    const values = (type === 28 ? answer.aaaa : answer.a) ?? []
    const records = values.map((value) => {
      const data =
        type === 28
          ? Buffer.from(value.replaceAll(':', ''), 'hex')
          : Buffer.from(value.split('.').map(Number))
      const head = Buffer.alloc(12)
      head.writeUInt16BE(0xc00c, 0)
      head.writeUInt16BE(type, 2)
      head.writeUInt16BE(1, 4)
      head.writeUInt32BE(answer.ttlS ?? 60, 6)
      head.writeUInt16BE(data.length, 10)
      return Buffer.concat([head, data])
    })
    const header = Buffer.from(message.subarray(0, 12))
    header.writeUInt16BE(0x8180 | (answer.fail ?? 0), 2)
    header.writeUInt16BE(records.length, 6)
    header.writeUInt32BE(0, 8)
    socket.send(
      Buffer.concat([header, message.subarray(12, questionEnd), ...records]),
      from.port,
      from.address,
    )
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

function readQuestion(message: Buffer): { name: string; type: number; questionEnd: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), questionEnd: at + 5 }
}
