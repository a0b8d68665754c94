import type { ErrorData, Extent, TaskId, Validators } from '../../core/index.ts'
import type {
  CheckpointRecord,
  DoneFile,
  FailedRecord,
  FileFacts,
  IntentRecord,
  NamedRecord,
} from './journal.ts'
import { RecordReader, recordHeadBytes, recordType, type RecordEncoder } from './record-codec.ts'

/** Longer texts are cut: with them a record could grow beyond what a reader takes for sound. */
const maxTextChars = 64 * 1024
/** More ranges of one file are not kept; what is left out is fetched again. */
const maxExtents = 10_000

/**
 * Payloads of the records, field by field, as docs/formats.md lists them. Fields that a re-run reads for every
 * file are binary; the rest is JSON. `previous` is the offset of an earlier record of the same task, or -1.
 */
export function encodeNamed(encoder: RecordEncoder, record: NamedRecord): number {
  const input = cut(record.input)
  const { request, replaces } = record
  const more = request || replaces ? shortEnough(JSON.stringify({ request, replaces }), { replaces }) : ''
  const most = 44 + (record.path.length + input.length + more.length) * 3
  const offset = encoder.begin(recordType.named, most)
  encoder.id(record.id)
  encoder.float64(record.ordinal)
  encoder.text(record.path)
  encoder.text(input)
  if (more !== '') encoder.text(more)
  encoder.end()
  return offset
}

export function decodeNamed(buffer: Buffer, payloadAt: number): NamedRecord {
  const reader = new RecordReader(buffer, payloadAt)
  const record = { id: reader.id(), ordinal: reader.float64(), path: reader.text(), input: reader.text() }
  // Files that are no more than their address have nothing behind it.
  if (reader.at >= payloadEnd(buffer, payloadAt)) return record
  const more = JSON.parse(reader.text()) as Pick<NamedRecord, 'request' | 'replaces'>
  return { ...record, ...more }
}

function payloadEnd(buffer: Buffer, payloadAt: number): number {
  return payloadAt + buffer.readUInt32LE(payloadAt - recordHeadBytes)
}

/** What is too long for a record is left out: such as a request with thousands of mirrors. */
function shortEnough(text: string, without: object): string {
  return text.length <= maxTextChars ? text : JSON.stringify(without)
}

export function encodeCheckpoint(encoder: RecordEncoder, record: CheckpointRecord, previous: number): number {
  const rest = JSON.stringify({
    length: record.lengthBytes,
    extents: record.extents.slice(0, maxExtents).map((extent) => [extent.start, extent.end]),
    validators: record.validators,
    contentType: record.contentType,
  })
  const offset = encoder.begin(recordType.checkpoint, 32 + rest.length * 3)
  encoder.id(record.id)
  encoder.float64(previous)
  encoder.uint32(record.generation)
  encoder.text(rest)
  encoder.end()
  return offset
}

export function decodeCheckpoint(buffer: Buffer, payloadAt: number): CheckpointRecord {
  const reader = new RecordReader(buffer, payloadAt)
  const id = reader.id()
  reader.float64()
  const generation = reader.uint32()
  const rest = JSON.parse(reader.text()) as {
    length?: number
    extents: [number, number][]
    validators: Record<string, Validators>
    contentType?: string
  }
  const extents: Extent[] = rest.extents.map(([start, end]) => ({ start, end }))
  return {
    id,
    generation,
    extents,
    validators: rest.validators,
    ...(rest.length === undefined ? {} : { lengthBytes: rest.length }),
    ...(rest.contentType === undefined ? {} : { contentType: rest.contentType }),
  }
}

export function encodeIntent(encoder: RecordEncoder, record: IntentRecord, previous: number): number {
  const rest = JSON.stringify(record.facts)
  const offset = encoder.begin(recordType.intent, 56 + record.path.length * 3 + rest.length * 3)
  encoder.id(record.id)
  encoder.float64(previous)
  encoder.uint32(record.generation)
  encoder.float64(record.lengthBytes)
  encoder.uint32(record.crc32)
  encoder.text(record.path)
  encoder.text(rest)
  encoder.end()
  return offset
}

export function decodeIntent(buffer: Buffer, payloadAt: number): IntentRecord {
  const reader = new RecordReader(buffer, payloadAt)
  const id = reader.id()
  reader.float64()
  return {
    id,
    generation: reader.uint32(),
    lengthBytes: reader.float64(),
    crc32: reader.uint32(),
    path: reader.text(),
    facts: JSON.parse(reader.text()) as FileFacts,
  }
}

/** Length and path of an intent, without the rest: what a re-run asks of each of a million files. */
export function decodeIntendedFile(buffer: Buffer, payloadAt: number): DoneFile {
  const reader = new RecordReader(buffer, payloadAt + 28)
  const lengthBytes = reader.float64()
  reader.uint32()
  return { lengthBytes, path: reader.text() }
}

/** The name in a named or intent record; undefined for other types. */
export function decodeName(type: number, buffer: Buffer, payloadAt: number): string | undefined {
  if (type === recordType.named) return new RecordReader(buffer, payloadAt + 24).text()
  if (type === recordType.intent) return decodeIntendedFile(buffer, payloadAt).path
  return undefined
}

export function encodeFailed(encoder: RecordEncoder, record: FailedRecord, previous: number): number {
  const { error } = record
  const whole = JSON.stringify(failedFields(record, error))
  // What made it so long is in the context, such as an address of a million characters.
  const rest =
    whole.length <= maxTextChars
      ? whole
      : JSON.stringify({
          ...failedFields(record, { code: error.code, message: cut(error.message) }),
          request: undefined,
        })
  const offset = encoder.begin(recordType.failed, 32 + rest.length * 3)
  encoder.id(record.id)
  encoder.float64(previous)
  encoder.text(rest)
  encoder.end()
  return offset
}

function failedFields(record: FailedRecord, error: ErrorData): Omit<FailedRecord, 'id'> {
  const { id: _id, input, ...rest } = record
  return { ...rest, input: cut(input), error }
}

function cut(text: string): string {
  return text.length > maxTextChars ? text.slice(0, maxTextChars) : text
}

export function decodeFailed(buffer: Buffer, payloadAt: number): FailedRecord {
  const reader = new RecordReader(buffer, payloadAt)
  const id = reader.id()
  reader.float64()
  const rest = JSON.parse(reader.text()) as Omit<FailedRecord, 'id'>
  return { id, ...rest }
}

/** The rename that the intent at `intentAt` announced has been made. */
export function encodeDone(encoder: RecordEncoder, id: TaskId, intentAt: number): number {
  const offset = encoder.begin(recordType.done, 24)
  encoder.id(id)
  encoder.float64(intentAt)
  encoder.end()
  return offset
}

/** A record that is nothing but a type and a task. */
export function encodeForget(encoder: RecordEncoder, id: TaskId): number {
  const offset = encoder.begin(recordType.forget, 16)
  encoder.id(id)
  encoder.end()
  return offset
}

/** Offset of the record behind this one in the chain of its task, or -1. */
export function previousRecord(type: number, buffer: Buffer, payloadAt: number): number {
  if (type !== recordType.checkpoint && type !== recordType.intent && type !== recordType.failed) return -1
  return buffer.readDoubleLE(payloadAt + 16)
}
