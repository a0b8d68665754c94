export { htmlSource } from './html-source.ts'
