export { defaultDisallowed, optOut, optOutError, type OptOut, type OptOutOptions } from './opt-out.ts'
export { robotsPolicy, robotsPolicyOf, type RobotsAnswer, type RobotsPolicy } from './robots-policy.ts'
