/**
 * Write a time as an HTTP date in its preferred form, IMF-fixdate (RFC 9110 §5.6.7).
 *
 * @param timeMs milliseconds since 1970, year 0 to 9999; the part below a second is cut off
 * @example formatDate(784111777000) // 'Sun, 06 Nov 1994 08:49:37 GMT'
 */
export function formatDate(timeMs: number): string {
  return new Date(timeMs).toUTCString()
}

/**
 * Read an HTTP date in any of its three forms: IMF-fixdate, RFC 850's and asctime's (RFC 9110 §5.6.7).
 *
 * The name of the day is not compared with the date. Case does not count: a cache should not mind it (RFC 9111 §4.2).
 *
 * @param nowMs what the two-digit year of the RFC 850 form is read against
 * @returns milliseconds since 1970, or undefined when the text is no such date
 * @example parseDate('Sun, 06 Nov 1994 08:49:37 GMT', Date.now()) // 784111777000
 */
export function parseDate(text: string, nowMs: number): number | undefined {
  const groups = (IMF.exec(text) ?? RFC850.exec(text) ?? ASCTIME.exec(text))?.groups
  if (groups === undefined) return undefined
  const year = groups['year']!.length === 2 ? fullYear(Number(groups['year']), nowMs) : Number(groups['year'])
  const month = MONTHS.indexOf(groups['month']!.toLowerCase())
  const day = Number(groups['day'])
  const hour = Number(groups['hour'])
  const minute = Number(groups['minute'])
  const second = Number(groups['second'])
  // 60 is a leap second, which the calendar below counts as the next minute's first.
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const date = new Date(0)
  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month, day)
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined
  return date.setUTCHours(hour, minute, second)
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const MONTH = `(?<month>${MONTHS.join('|')})`
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)'
const IMF = new RegExp(
  `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`,
  'i',
)
const RFC850 = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`,
  'i',
)
const ASCTIME = new RegExp(
  `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})$`,
  'i',
)

/** RFC 9110 §5.6.7: a year that would lie more than 50 years ahead is the last one in the past with these digits. */
function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + twoDigits
  return year > thisYear + 50 ? year - 100 : year
}
