/**
 * Gives the memory of a large buffer back at once, where the buffer has it alone: waiting for the collector makes it
 * run every few images, and costs more than it frees. The buffer is empty afterwards.
 */
export function releaseMemory(buffer: Uint8Array): void {
  const { buffer: memory } = buffer
  if (!(memory instanceof ArrayBuffer) || memory.byteLength !== buffer.byteLength) return
  try {
    memory.transfer(0)
  } catch {
    // Memory that cannot be taken away is left to the collector.
  }
}
