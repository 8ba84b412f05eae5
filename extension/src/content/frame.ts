// One frame of a page: the parts that find, ask and draw, and what they tell each other.

import type { Asks, Daemon, Judged, Kind, Orders, Settings, Summary, Verdict } from '../protocol.js';
import { createOverlay } from './overlay/index.js';
import type { Entry } from './find/claims.js';
import type { Read } from './find/places.js';
import { metadataOf } from './metadata.js';
import { Reading, type Ask } from './reading.js';
import { selected, type Selected } from './selection.js';
import { Statements } from './signed/statements.js';
import { Slices } from './slices.js';
import { translatorFor } from './overlay/texts.js';
import type { Item, Overlay, Surroundings } from './types.js';
import { Watch } from './watch.js';

/** The popup hears of changes not more often than this, in milliseconds. */
const TALLY_REST = 250;
/** So much of the beginning and of the end of a document is told with its parts. */
const EDGE = 2000;

type Order = { [Name in keyof Orders]: { name: Name; ask: Orders[Name]['ask'] } }[keyof Orders];
void (0 as unknown as Kind);
void (0 as unknown as Selected);
void (0 as unknown as Asks);
export type { Order };
