export { algorithmsOf, ByteCounter } from './byte-counter.ts'
export { createCrc32c } from './crc32c.ts'
export { verifyDigests } from './verify-digests.ts'
