export { optOut, optOutError, type OptOut, type OptOutOptions } from './opt-out.ts'
