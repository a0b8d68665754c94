/** Posted to a worker as the last thing; every other message is passed on as it is. */
export const closingMessage = 'trawl:close'
