/** Config of one JT/T 808 gateway instance. */
import * as z from 'zod'
import { duration, size } from '#sdk/schema'
import { MAX_FRAME_BYTES, MAX_INFLATED_BYTES } from './codec/index.ts'
import { vendor } from './vendor-config.ts'

const live = { 'x-reload': 'live' } as const

const service = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'write an http: or https: URL' })
    .meta({ title: 'URL', description: 'JSON is posted to it.', ...live }),
  timeout: duration('5s', {
    title: 'Wait for an answer',
    description: 'Beyond it the terminal is refused, and may try again.',
    ...live,
  }),
  maxConcurrent: z
    .int()
    .min(1)
    .max(1000)
    .default(16)
    .meta({ title: 'Questions at once', ...live }),
  maxWaiting: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(10_000)
    .meta({ title: 'Questions in line', description: 'Beyond it terminals are refused at once.', ...live }),
  maxAnswerBytes: size('16KiB', { title: 'Longest answer', description: 'A longer one decides nothing.', ...live }),
})

const auth = z
  .strictObject({
    mode: z
      .enum(['open', 'issued', 'static', 'http'])
      .default('open')
      .meta({
        title: 'What a terminal must present',
        description:
          '`open`: any code. `issued`: the code that it was given when it registered. `static`: the one `code` below. `http`: what the services `registry` and `authentication` say.',
        ...live,
      }),
    code: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({
        title: 'Code given to every terminal that registers',
        description: 'Without it each terminal gets one of its own.',
        ...live,
      }),
    secret: z
      .string()
      .min(16)
      .max(1000)
      .optional()
      .meta({
        title: 'Secret that codes are derived from',
        description:
          'With `issued`: the same secret gives each terminal the same code, after a restart and on every node. Without it codes are good until the gateway stops. A new secret makes all terminals register again.',
        ...live,
      }),
    maxDeregistered: z
      .int()
      .min(0)
      .max(10_000_000)
      .default(100_000)
      .meta({
        title: 'Deregistered terminals that are remembered',
        description: 'With `issued` their codes are refused until they register again; beyond it the oldest is forgotten.',
        ...live,
      }),
    registry: service
      .optional()
      .meta({ title: 'Service that decides on registrations', description: 'With `http`. It answers with a code.' }),
    authentication: service
      .optional()
      .meta({ title: 'Service that decides on codes', description: 'With `http`. Status 200 is yes.' }),
    maxAttempts: z
      .int()
      .min(1)
      .max(10_000)
      .default(16)
      .meta({
        title: 'Registrations and refused authentications of one connection',
        description: 'One more closes it. An authentication that succeeds starts again.',
        ...live,
      }),
    timeout: duration('30s', { title: 'Time a connection has to authenticate', ...live }),
  })
  .superRefine(({ mode, code, registry, authentication }, context) => {
    const needed = { static: { code }, http: { registry, authentication }, open: {}, issued: {} }[mode]
    for (const [key, value] of Object.entries(needed))
      if (value === undefined) context.addIssue({ code: 'custom', path: [key], message: `mode \`${mode}\` needs \`${key}\`` })
  })

const frame = z.strictObject({
  length: z
    .enum(['strict', 'lenient'])
    .default('strict')
    .meta({
      title: 'A body length in the header that is not the real one',
      description: '`strict` drops the frame and counts it; `lenient` takes the octets that are there.',
      ...live,
    }),
  maxBytes: size(`${MAX_FRAME_BYTES}B`, {
    title: 'Longest frame, with its flags and escapes',
    description: 'The default is the longest that the standard allows. A longer one closes the connection.',
    ...live,
  }),
  maxFaults: z
    .int()
    .min(1)
    .max(10_000)
    .default(16)
    .meta({
      title: 'Broken frames in a row that close a connection',
      description: 'Each is dropped and counted; a good frame starts again. Datagrams are only counted.',
      ...live,
    }),
})

const parts = z.strictObject({
  maxParts: z
    .int()
    .min(1)
    .max(65_535)
    .default(1024)
    .meta({ title: 'Parts of one long message', description: 'A message of more is refused, part by part.', ...live }),
  maxBytes: size('1MiB', {
    title: 'Octets of one long message, up or down',
    description: 'Beyond it a message of the terminal is given up, and a command answered `too-large`.',
    ...live,
  }),
  maxAssemblies: z
    .int()
    .min(1)
    .max(256)
    .default(4)
    .meta({ title: 'Unfinished messages of one terminal', description: 'Beyond it the oldest is given up.', ...live }),
  maxTotalBytes: size('64MiB', {
    title: 'Memory of the unfinished messages of all terminals',
    description: 'Beyond it parts are refused; terminals send them again.',
    ...live,
  }),
  askAfter: duration('5s', { title: 'Silence after which missing parts are asked for', ...live }),
  asks: z
    .int()
    .min(0)
    .max(20)
    .default(3)
    .meta({ title: 'How often missing parts are asked for before a message is given up', ...live }),
  acknowledge: z
    .enum(['all', 'except-media', 'none'])
    .default('except-media')
    .meta({
      title: 'Parts that are acknowledged one by one',
      description: 'Media is acknowledged as a whole, with 0x8800.',
      ...live,
    }),
})

const answers = z.strictObject({
  replies: z
    .boolean()
    .default(false)
    .meta({
      title: 'Replies of terminals are acknowledged with 0x8001',
      description: 'The standard does not ask for it; some terminals repeat a reply until it comes.',
      ...live,
    }),
  unknown: z
    .enum(['unsupported', 'ok'])
    .default('unsupported')
    .meta({
      title: 'Result for messages that nobody declared',
      description: "`ok` where applications read makers' messages as they came.",
      ...live,
    }),
  mediaList: z
    .boolean()
    .default(false)
    .meta({
      title: 'An empty list ends 0x8800 when media is complete',
      description: 'The 2011 edition has it in any case; some later terminals want it, too.',
      ...live,
    }),
})

const retry = z.strictObject({
  interval: duration('10s', {
    title: 'Wait for an answer to a command before it is sent again',
    description: 'The first wait; `backoff` says how it grows.',
    ...live,
  }),
  backoff: z
    .enum(['standard', 'fixed'])
    .default('standard')
    .meta({
      title: 'Growth of the waits',
      description: '`standard`: the wait after the n-th repetition is n + 1 times the one before. `fixed`: all are equal.',
      ...live,
    }),
  attempts: z
    .int()
    .min(0)
    .max(10)
    .default(3)
    .meta({ title: 'Repetitions of a command', description: "The command's own deadline ends them earlier.", ...live }),
})

const rsa = z.strictObject({
  enabled: z.boolean().default(false).meta({
    title: 'Encrypted bodies are read',
    description: "0x0A00 is answered with the platform's public key. Off: bodies that are encrypted are unsupported.",
    'x-reload': 'gateway',
  }),
  key: z.string().min(1).optional().meta({
    title: "PEM file with the platform's RSA key of 1024 bits",
    description: 'A path from the data directory. Without it a key is made once and kept there.',
    'x-unit': 'path',
    'x-reload': 'gateway',
  }),
  reply: z
    .boolean()
    .default(false)
    .meta({
      title: 'What a terminal with a key receives is encrypted as well',
      description: 'From its 0x0A00 on, for as long as it is connected.',
      ...live,
    }),
})

const files = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({
      title: 'What is too large for an event is kept as a file',
      description: 'In `media/{gateway}` of the data directory; the event names it.',
      ...live,
    }),
  maxTotalBytes: size('1GiB', {
    title: 'Octets of all files',
    description: 'Beyond it the oldest are deleted, and counted.',
    ...live,
  }),
  maxAge: duration('30d', { title: 'Age at which a file is deleted', description: 'Looked at when one is written.', ...live }),
})

const attachments = z.strictObject({
  maxFileBytes: size('64MiB', {
    title: 'Octets of one file',
    description: 'A file of more is refused when it begins.',
    ...live,
  }),
  maxTotalBytes: size('256MiB', {
    title: 'Memory of the unfinished files of all terminals',
    description: 'Beyond it data is dropped and counted; terminals are asked for it again.',
    ...live,
  }),
})

export const config = z.strictObject({
  role: z.enum(['terminals', 'attachments']).default('terminals').meta({
    title: 'Who connects to this instance',
    description: '`attachments`: terminals that deliver the files of an alarm (0x1210 to 0x1212), on listeners of their own.',
    'x-reload': 'gateway',
  }),
  auth: auth.prefault({}).meta({ title: 'Admission of terminals' }),
  leadingZeros: z.enum(['keep', 'strip']).default('keep').meta({
    title: 'Zeros at the beginning of a phone number, in client ids and topics',
    description: '`strip`: a terminal has one client id whether its header has room for 12 digits or for 20.',
    'x-reload': 'gateway',
  }),
  coordinates: z
    .enum(['wgs84', 'gcj02'])
    .default('wgs84')
    .meta({
      title: 'Coordinates that the terminals report',
      description:
        "Locations are published as WGS-84 in any case: those of `gcj02` are converted. `native` and EMQX's JSON stay as reported.",
      ...live,
    }),
  idleTimeout: duration('300s', {
    title: 'Silence that ends a session',
    description: 'Any frame of the terminal counts; give it two to three times the heartbeat interval.',
    ...live,
  }),
  sessionExpiry: duration('2h', {
    title: 'How long the status of an absent terminal stays known',
    description: 'Nothing is queued meanwhile: commands for an absent terminal are answered `offline`.',
    ...live,
  }),
  foreignPhone: z
    .enum(['ignore', 'close'])
    .default('ignore')
    .meta({ title: 'What a frame with another phone number does to an authenticated connection', ...live }),
  udpRebind: z
    .boolean()
    .default(true)
    .meta({
      title: 'A terminal may change its address without authenticating again',
      description: 'UDP only. A phone number is no secret: turn this off where the network in between is not trusted.',
      ...live,
    }),
  duplicates: z
    .int()
    .min(0)
    .max(256)
    .default(32)
    .meta({
      title: 'Recent frames that a repetition is recognised by',
      description: 'A repeated frame is acknowledged again and not published again. 0 publishes every frame.',
      ...live,
    }),
  answers: answers.prefault({}).meta({ title: 'Answers that terminals disagree about' }),
  retry: retry.prefault({}).meta({ title: 'Repetition of commands' }),
  parts: parts.prefault({}).meta({ title: 'Messages of several parts' }),
  frame: frame.prefault({}).meta({ title: 'Limits of frames' }),
  rsa: rsa.prefault({}).meta({ title: 'Encryption of bodies' }),
  vendor: vendor
    .prefault({})
    .meta({ title: "Layouts of makers' messages", description: 'What is declared is decoded, and composed from JSON.' }),
  topics: z
    .array(z.enum(['unified', 'emqx']))
    .min(1)
    .default(['unified', 'emqx'])
    .meta({
      title: 'Topics and JSON that are offered',
      description:
        '`unified`: devices/{phone}/...; `emqx`: jt808/{phone}/{phone}/up and /dn. What nobody subscribes to is not made.',
      ...live,
    }),
  maxMediaBytes: size('512KiB', {
    title: 'Media of more octets is published without them',
    description: 'The octets travel as base64 in the event. What is larger is kept as a file (`files`), or lost.',
    ...live,
  }),
  maxInflatedBytes: size(`${MAX_INFLATED_BYTES}B`, {
    title: 'Octets that a compressed message may stand for',
    description: 'What stands for more is published as it came, and counted.',
    ...live,
  }),
  files: files.prefault({}).meta({ title: 'Media as files' }),
  attachments: attachments.prefault({}).meta({ title: 'Files of alarms', description: 'With role `attachments`.' }),
  native: z
    .boolean()
    .default(true)
    .meta({ title: 'Envelopes carry the full decode in `native`', ...live }),
})

export type Config = z.output<typeof config>
