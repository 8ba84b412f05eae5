// Times as a site writes them for its reader: `10:30, 28/09/2026`, `10:30 PM, 9/28/2026`, `上午10:30, 2026年9月28日`. Which number
// is the day is told by the others in sight, or not at all; a time that could be another one is none.

/** Which number of a date comes first, second and third. */
export type DateOrder = 'dmy' | 'mdy' | null;

const CLOCK = /(\d{1,2})[:.](\d{2})(?:[:.]\d{2})?/u;
const DATE = /(\d{1,4})\s*[./年년-]\s*(\d{1,2})\s*[./月월-]\s*(\d{1,4})\s*[日일.]?/u;
const BEFORE_NOON = /(?:^|[^\p{L}])(?:am|a\.?\s?m\.?|上午|凌晨|早上|午前|오전)(?:[^\p{L}]|$)|上午|凌晨|早上|午前|오전/iu;
const AFTER_NOON = /(?:^|[^\p{L}])(?:pm|p\.?\s?m\.?|下午|晚上|午後|오후)(?:[^\p{L}]|$)|下午|晚上|午後|오후/iu;

interface Parts { numbers: [number, number, number]; hour: number; minute: number; half: 'am' | 'pm' | null }

function parts(written: string): Parts | null {
  const date = DATE.exec(written);
  // Full stops may stand in both; the date is found first, and taken out.
  const rest = date ? written.replace(date[0], ' ') : written;
  const clock = CLOCK.exec(rest);
  if (!date || !clock) return null;
  const half = AFTER_NOON.test(rest) ? 'pm' : BEFORE_NOON.test(rest) ? 'am' : null;
  // Another word beside the clock may mean the other half of the day.
  if (half === null && /\p{L}/u.test(rest)) return null;
  return { numbers: [Number(date[1]), Number(date[2]), Number(date[3])], hour: Number(clock[1]), minute: Number(clock[2]), half };
}

/** The order of a page's dates, if one of them can be read in one way only, and none contradicts it. */
export function dateOrder(all: string[]): DateOrder {
  let order: DateOrder = null;
  for (const written of all) {
    const [first, second] = parts(written)?.numbers ?? [0, 0];
    if (first > 31 || (first > 12) === (second > 12)) continue;
    const found = first > 12 ? 'dmy' : 'mdy';
    if (order && order !== found) return null;
    order = found;
  }
  return order;
}

/** A time on this machine's clock, in milliseconds since 1970. */
export function moment(written: string | undefined, order: DateOrder): number | null {
  const found = written === undefined ? null : parts(written);
  if (!found) return null;
  const { numbers: [first, second, third], minute, half } = found;
  let { hour } = found;
  if (half !== null && (hour < 1 || hour > 12)) return null;
  if (half !== null) hour = (hour % 12) + (half === 'pm' ? 12 : 0);
  // Year, month and day are told apart by the size of the first; a day that is its month's number can't be mistaken.
  const [year, month, day] = first > 31 ? [first, second, third] : order === 'dmy' || first === second ? [third, second, first]
    : order === 'mdy' ? [third, first, second] : [0, 0, 0];
  // A year of two digits might as well be a day.
  if (year < 2001 || year > 2100 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59) return null;
  const at = new Date(year, month - 1, day, hour, minute);
  return at.getDate() === day ? at.getTime() : null;
}
