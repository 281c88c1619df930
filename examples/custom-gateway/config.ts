/** What an operator can set, beyond what every gateway has: types, defaults, checks and documentation in one place. */
import { duration, size } from 'omnigate/schema'
import * as z from 'zod'

export const config = z.strictObject({
  loginTimeout: duration('10s', {
    title: 'Time to log in',
    description: 'A connection that has not sent LOGIN by then is closed.',
    'x-reload': 'gateway',
  }),
  idleTimeout: duration('60s', {
    title: 'Silence that ends a session',
    description: 'Any line of the device counts.',
    'x-reload': 'gateway',
  }),
  maxLine: size('1KiB', {
    title: 'Longest line, its end included',
    description: 'A longer one closes the connection; it is counted as `line-too-long`.',
    'x-reload': 'gateway',
  }),
})

export type Config = z.output<typeof config>
