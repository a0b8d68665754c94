export { algorithmsOf, ByteCounter } from './byte-counter.ts'
export { combineCrc32 } from './crc32-combine.ts'
export { createCrc32c } from './crc32c.ts'
export { verifyDigests } from './verify-digests.ts'
