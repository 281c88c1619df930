/**
 * What a field is, as data. Every field carries its shape, so that documents, JSON Schema and generated test data come from the
 * same declarations as the codec.
 */

/** When a member is there: by the edition of the header, a flag, or the value of a member before it. */
export type ConditionShape =
  | { readonly edition: '2019' }
  | { readonly flags: string; readonly bit: number }
  | { readonly member: string; readonly in: readonly number[] }
  | { readonly not: ConditionShape }
  | { readonly all: readonly ConditionShape[] }

/** Octets before a text or list say how long it is; `rest`: it goes on to the end of the body. */
export type Extent =
  | { readonly octets: number }
  | { readonly prefix: number }
  | { readonly count: string }
  | { readonly rest: true }

export type Kind =
  /** Big-endian. */
  | { readonly kind: 'number'; readonly bits: number; readonly signed?: true }
  /** BCD: two digits an octet. */
  | { readonly kind: 'digits'; readonly octets: number }
  /** GBK; with `octets` padded with NUL. */
  | ({ readonly kind: 'text' } & Extent)
  /** Base64 in JSON. */
  | ({ readonly kind: 'octets' } & Extent)
  /** Hexadecimal in JSON. */
  | ({ readonly kind: 'hex' } & Extent)
  /** How many items or octets the member `of` has; JSON that comes in need not give it. */
  | { readonly kind: 'count'; readonly bits: number; readonly of: string }
  /** `packed`: the members are bits of one number, the first member the lowest unless they say so. */
  | { readonly kind: 'struct'; readonly members: readonly Member[]; readonly packed?: number }
  | ({ readonly kind: 'list'; readonly item: Shape } & (Extent | { readonly items: number }))
  /** The numbers, from 1, of the bits that are set. */
  | { readonly kind: 'numbers'; readonly bits: number }
  /** A location report: its 28 octets, with its additional items up to the end unless `basics`; `prefix`: after its length. */
  | { readonly kind: 'location'; readonly basics?: true; readonly prefix?: number }
  /** Id, length and value of a terminal parameter. */
  | { readonly kind: 'parameter' }
  /** One of several layouts; which, shows in the members and in the length. `others`: names of all but the first, for `form` in JSON. */
  | { readonly kind: 'either'; readonly of: readonly Shape[]; readonly others?: readonly string[] }
  | { readonly kind: 'by-form'; readonly 2013: Shape; readonly 2019: Shape }

export type Shape = Kind & {
  readonly when?: ConditionShape
  /** JSON that comes in may leave it out. */
  readonly optional?: true
  /** It may be missing at the end of the body. */
  readonly tail?: true
  /** Meaning and unit. */
  readonly note?: string
}

export type Member = Shape & { readonly name: string }
