export { ComicPages, comicInfoXml } from './comic-info.ts'
export { readComicInfo, type ComicInfo } from './read-comic-info.ts'
