export { createUndiciTransport, type UndiciTransportOptions } from './undici-transport.ts'
export {
  headerValue,
  type ChunkConsumer,
  type Interceptor,
  type ResponseBody,
  type ResponseHeaders,
  type Send,
  type SendOptions,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts'
export * from './headers/index.ts'
