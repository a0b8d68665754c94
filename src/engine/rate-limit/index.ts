export {
  createRateLimiter,
  type RateLimiter,
  type RateLimiterOptions,
  type RateLimits,
  type RateOwner,
} from './rate-limiter.ts'
