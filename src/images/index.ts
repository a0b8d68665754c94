export type { ImageFacts, ImageFormat } from './image-facts.ts'
