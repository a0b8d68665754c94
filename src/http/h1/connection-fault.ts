/** What went wrong on a connection, where no system error says it. */
export type FaultKind = 'protocol' | 'headers-too-long' | 'headers-timeout' | 'body-timeout' | 'closed'

/** A response that cannot be read on; `exchangeError` makes the error of the catalogue of it. */
export class ConnectionFault extends Error {
  readonly kind: FaultKind

  constructor(kind: FaultKind, message: string) {
    super(message)
    this.name = 'ConnectionFault'
    this.kind = kind
  }
}
