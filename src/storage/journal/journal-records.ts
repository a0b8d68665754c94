import type { ErrorData, Extent, TaskId, Validators } from '../../core/index.ts'
import type { CheckpointRecord, FailedRecord, FileFacts, IntentRecord, NamedRecord } from './journal.ts'
import { RecordReader, recordType, type RecordEncoder } from './record-codec.ts'

/**
 * Payloads of the records, field by field, as docs/formats.md lists them. Fields that a re-run reads for every
 * file are binary; the rest is JSON. `previous` is the offset of an earlier record of the same task, or -1.
 */
export function encodeNamed(encoder: RecordEncoder, record: NamedRecord): number {
  const offset = encoder.begin(recordType.named, 40 + record.path.length * 3 + record.input.length * 3)
  encoder.id(record.id)
  encoder.float64(record.ordinal)
  encoder.text(record.path)
  encoder.text(record.input)
  encoder.end()
  return offset
}

export function decodeNamed(buffer: Buffer, payloadAt: number): NamedRecord {
  const reader = new RecordReader(buffer, payloadAt)
  return { id: reader.id(), ordinal: reader.float64(), path: reader.text(), input: reader.text() }
}

export function encodeCheckpoint(encoder: RecordEncoder, record: CheckpointRecord, previous: number): number {
  const rest = JSON.stringify({
    length: record.lengthBytes,
    extents: record.extents.map((extent) => [extent.start, extent.end]),
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

export function encodeFailed(encoder: RecordEncoder, record: FailedRecord, previous: number): number {
  const rest = JSON.stringify({
    ordinal: record.ordinal,
    input: record.input,
    path: record.path,
    attempts: record.attempts,
    error: record.error,
    httpStatus: record.httpStatus,
  })
  const offset = encoder.begin(recordType.failed, 32 + rest.length * 3)
  encoder.id(record.id)
  encoder.float64(previous)
  encoder.text(rest)
  encoder.end()
  return offset
}

export function decodeFailed(buffer: Buffer, payloadAt: number): FailedRecord {
  const reader = new RecordReader(buffer, payloadAt)
  const id = reader.id()
  reader.float64()
  const rest = JSON.parse(reader.text()) as {
    ordinal: number
    input: string
    path?: string
    attempts: number
    error: ErrorData
    httpStatus?: number
  }
  return { id, ...rest }
}

/** A record that is nothing but a type and a task. */
export function encodeId(encoder: RecordEncoder, type: number, id: TaskId): number {
  const offset = encoder.begin(type, 16)
  encoder.id(id)
  encoder.end()
  return offset
}

/** Offset of the record behind this one in the chain of its task, or -1. */
export function previousRecord(type: number, buffer: Buffer, payloadAt: number): number {
  if (type !== recordType.checkpoint && type !== recordType.intent && type !== recordType.failed) return -1
  return buffer.readDoubleLE(payloadAt + 16)
}
