/**
 * What specs holds about the messages, made from their declarations: the layouts as data, a JSON Schema of every body, and a
 * table for people. `npm run generate` writes them.
 */
import { BASICS_SHAPE } from './codec/bodies/location.ts'
import { EXTRAS } from './codec/bodies/location-extras.ts'
import { FIRST_CAN_ID, LAST_CAN_ID, PARAMETERS, type Parameter, parameterOf } from './codec/bodies/parameter-table.ts'
import type { ConditionShape, Extent, Member, Shape } from './codec/declare/shape.ts'
import { DECLARED, isDownlink } from './codec/index.ts'

type Json = Readonly<Record<string, unknown>>

const hex = (id: number, digits = 4): string => `0x${id.toString(16).padStart(digits, '0')}`

const MESSAGES = DECLARED.map(({ id, type, shape }) => ({
  id,
  hex: hex(id),
  name: type,
  from: isDownlink(id) ? 'platform' : 'terminal',
  body: shape,
}))

const LAYOUTS = {
  messages: MESSAGES,
  location: {
    basics: BASICS_SHAPE,
    extras: EXTRAS.map(({ id, name, field }) => ({ id, hex: hex(id, 2), name, value: field.shape })),
  },
  parameters: PARAMETERS.map(({ id, name, type, field }) => ({ id, hex: hex(id), name, type, value: field?.shape })),
}

// ---- JSON Schema ---------------------------------------------------------------------------------------------------

function schemaOf(shape: Shape): Json {
  const schema = { ...kindSchema(shape), ...(shape.note === undefined ? {} : { description: shape.note }) }
  return shape.when === undefined ? schema : { ...schema, $comment: `when ${conditionText(shape.when)}` }
}

function kindSchema(shape: Shape): Json {
  switch (shape.kind) {
    case 'number':
      if (shape.signed === true) return { type: 'integer', minimum: -(2 ** (shape.bits - 1)), maximum: 2 ** (shape.bits - 1) - 1 }
      return { type: 'integer', minimum: 0, maximum: 2 ** shape.bits - 1 }
    case 'count':
      return { type: 'integer', minimum: 0, maximum: 2 ** shape.bits - 1 }
    case 'digits':
      return { type: 'string', pattern: `^[0-9a-f]{${2 * shape.octets}}$` }
    case 'text':
      return { type: 'string' }
    case 'octets':
      return { type: 'string', contentEncoding: 'base64' }
    case 'hex':
      return { type: 'string', pattern: 'octets' in shape ? `^[0-9a-f]{${2 * shape.octets}}$` : '^([0-9a-f]{2})*$' }
    case 'struct':
      return structSchema(shape.members)
    case 'list':
      return { type: 'array', items: schemaOf(shape.item) }
    case 'numbers':
      return { type: 'array', items: { type: 'integer', minimum: 1, maximum: shape.bits }, uniqueItems: true }
    case 'location':
      return { $ref: '#/$defs/location' }
    case 'parameter':
      return { $ref: '#/$defs/parameter' }
    case 'either':
      return { anyOf: shape.of.map(schemaOf) }
    case 'by-form': {
      const forms = [schemaOf(shape[2013]), schemaOf(shape[2019])]
      return JSON.stringify(forms[0]) === JSON.stringify(forms[1]) ? (forms[0] as Json) : { anyOf: forms }
    }
  }
}

function structSchema(members: readonly Member[]): Json {
  const required = members.filter(isRequired).map(({ name }) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(members.map((member) => [member.name, schemaOf(member)])),
    ...(required.length === 0 ? {} : { required }),
  }
}

function isRequired({ kind, when, optional, tail }: Member): boolean {
  return kind !== 'count' && when === undefined && optional !== true && tail !== true
}

/** A tyre that is not fitted is null. */
function extraSchema(shape: Shape): Json {
  if (shape.kind !== 'list' || shape.item.kind !== 'number') return schemaOf(shape)
  return { type: 'array', items: { type: ['integer', 'null'], minimum: 0, maximum: 255 }, description: shape.note }
}

const HEX_SCHEMA = { type: 'string', pattern: '^([0-9a-f]{2})*$' }

const LOCATION_SCHEMA: Json = {
  ...kindSchema(BASICS_SHAPE),
  properties: {
    ...(kindSchema(BASICS_SHAPE)['properties'] as Json),
    extra: {
      type: 'object',
      properties: {
        ...Object.fromEntries(EXTRAS.map(({ name, field }) => [name, extraSchema(field.shape)])),
        custome: { type: 'object', additionalProperties: HEX_SCHEMA, description: 'extras 0xe0 to 0xff by decimal number' },
        extra_raw: HEX_SCHEMA,
      },
      patternProperties: { '^[0-9]+$': HEX_SCHEMA },
    },
  },
}

const PARAMETER_SCHEMA: Json = {
  type: 'object',
  properties: { id: { type: 'integer', minimum: 0, maximum: 0xffffffff }, value: { type: ['integer', 'string', 'object'] } },
  required: ['id', 'value'],
}

const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Bodies of JT/T 808 messages as JSON: what the topics show and commands take',
  $defs: {
    parameter: PARAMETER_SCHEMA,
    ...Object.fromEntries(
      DECLARED.map(({ id, type, shape }) => [
        type,
        { title: hex(id), ...(type === 'location' ? LOCATION_SCHEMA : schemaOf(shape)) },
      ]),
    ),
  },
}

// ---- the table for people ------------------------------------------------------------------------------------------

function conditionText(condition: ConditionShape): string {
  if ('edition' in condition) return `the edition is ${condition.edition}`
  if ('flags' in condition) return `bit ${condition.bit} of \`${condition.flags}\` is 1`
  if ('member' in condition) return `\`${condition.member}\` is ${condition.in.join(' or ')}`
  if ('not' in condition) return `not (${conditionText(condition.not)})`
  return condition.all.map(conditionText).join(' and ')
}

const NUMBERS: Readonly<Record<number, string>> = { 8: 'BYTE', 16: 'WORD', 32: 'DWORD' }

function extentText(name: string, extent: Extent): string {
  if ('octets' in extent) return `${name}[${extent.octets}]`
  if ('prefix' in extent) return `${NUMBERS[extent.prefix]} length, ${name}`
  return 'count' in extent ? `${name}[\`${extent.count}\`]` : `${name} to the end`
}

function wireText(shape: Shape): string {
  switch (shape.kind) {
    case 'number':
      return shape.signed === true ? 'WORD, signed' : (NUMBERS[shape.bits] ?? `${shape.bits} bits`)
    case 'count':
      return `${NUMBERS[shape.bits]}, counts \`${shape.of}\``
    case 'digits':
      return `BCD[${shape.octets}]`
    case 'text':
      return extentText('STRING', shape)
    case 'octets':
      return extentText('BYTE', shape)
    case 'hex':
      return `${extentText('BYTE', shape)}, hexadecimal`
    case 'struct':
      return shape.packed === undefined ? 'struct' : `${NUMBERS[shape.packed]} of bits`
    case 'list':
      return `${'count' in shape ? `list of \`${shape.count}\`` : 'items' in shape ? `list of ${shape.items}` : 'list to the end'}${shape.item.kind === 'struct' ? '' : `: ${wireText(shape.item)}`}`
    case 'numbers':
      return `${NUMBERS[shape.bits] ?? `${shape.bits} bits`}: numbers of the bits set`
    case 'location':
      return `${shape.prefix === undefined ? '' : 'WORD length, '}location${shape.basics === true ? ', 28 octets' : ''}`
    case 'parameter':
      return 'DWORD id, BYTE length, value'
    case 'either':
      return 'one of several'
    case 'by-form':
      return `2013: ${wireText(shape[2013])}; 2019: ${wireText(shape[2019])}`
  }
}

/** Without what follows them. */
const declaredMembers = (members: readonly Member[]): readonly Member[] => members.filter(({ name }) => name !== 'extra_raw')

/** One row a member; members of items stand under their list. */
function rows(shape: Shape, path = ''): string[] {
  switch (shape.kind) {
    case 'struct':
      return declaredMembers(shape.members).flatMap((member) => [row(member, path), ...rows(member, `${path}${member.name}.`)])
    case 'list':
      return rows(shape.item, path)
    case 'either':
      return shape.of.flatMap((one, at) =>
        one.kind === 'struct' ? [`| _${formName(shape.others, at)}_ | | |`, ...rows(one, path)] : rows(one, path),
      )
    case 'by-form':
      if (shape[2013].kind !== 'struct' && shape[2013].kind !== 'either') return []
      return ['| **2013** | | |', ...rows(shape[2013], path), '| **2019** | | |', ...rows(shape[2019], path)]
    default:
      return []
  }
}

function formName(others: readonly string[] | undefined, at: number): string {
  const name = others?.[at - 1]
  return name === undefined ? `form ${at + 1}` : `form ${at + 1}, in JSON "form": "${name}"`
}

function row(member: Member, path: string): string {
  const when = member.when === undefined ? [] : [`when ${conditionText(member.when)}`]
  const tail = member.tail === true ? ['may be missing'] : []
  const meaning = [...(member.note === undefined ? [] : [member.note]), ...when, ...tail].join('; ')
  return `| \`${path}${member.name}\` | ${wireText(member)} | ${meaning} |`
}

const HEAD = ['| member | on the wire | meaning |', '| --- | --- | --- |']

function section({ id, type, shape }: (typeof DECLARED)[number]): string[] {
  const title = `## ${hex(id)} ${type}`
  const sender = isDownlink(id) ? 'Platform to terminal.' : 'Terminal to platform.'
  const body = shape.kind === 'location' ? rows(BASICS_SHAPE) : rows(shape)
  const lists = body.length === 0 ? ['No body.'] : [...HEAD, ...body]
  const extras = shape.kind === 'location' ? ['', 'Under `extra`, each with its id and length:', '', ...extraRows()] : []
  return [title, '', sender, '', ...lists, ...extras, '']
}

function extraRows(): string[] {
  return [
    '| id | member | on the wire | meaning |',
    '| --- | --- | --- | --- |',
    ...EXTRAS.map(
      ({ id, name, field }) => `| ${hex(id, 2)} | \`${name}\` | ${wireText(field.shape)} | ${field.shape.note ?? ''} |`,
    ),
  ]
}

function membersOfParameter({ id, name, field }: Parameter): string[] {
  if (field === undefined) return []
  const title = id === FIRST_CAN_ID ? `${name} to ${hex(LAST_CAN_ID)}` : `${hex(id)} ${name}`
  return [`### ${title}`, '', ...HEAD, ...rows(field.shape), '']
}

const TABLE = [
  '# JT/T 808 messages',
  '',
  'Made from the declarations of the gateway by `npm run generate`. Members have the names that topics and commands use.',
  'Octets that follow the declared ones are kept in `extra_raw`, hexadecimal.',
  '',
  ...DECLARED.flatMap(section),
  '## Terminal parameters',
  '',
  '| id | name | type |',
  '| --- | --- | --- |',
  ...PARAMETERS.map(({ id, name, type }) => `| ${hex(id)} | \`${name}\` | ${type} |`),
  '',
  ...[...PARAMETERS, parameterOf(FIRST_CAN_ID)].flatMap(membersOfParameter),
].join('\n')

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Text by path below `specs`. */
export const documents: Readonly<Record<string, string>> = {
  'jt808/messages.json': text(LAYOUTS),
  'generated/jt808/messages.schema.json': text(SCHEMA),
  'generated/jt808/messages.md': TABLE,
}
