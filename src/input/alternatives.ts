import type { Violation } from './violation.ts'

/**
 * Replaces the violations of `anyOf` and `oneOf`, which tell the complaints of every branch, by what a reader can act
 * on: the values or types that would do, the properties of which one is wanted, or the complaints of the one branch
 * that was evidently meant. Quadratic, so the caller bounds the list.
 */
export function settleAlternatives (violations: readonly Violation[]): Violation[] {
  let settled = [...violations]
  // ajv tells inner alternatives before outer ones, so each round works on what the rounds before it left.
  for (const violation of violations) {
    if (violation.keyword !== 'anyOf' && violation.keyword !== 'oneOf') continue
    const complaints = settled.filter(other => standsBelow(other, violation))
    const others = settled.filter(other => other !== violation && !complaints.includes(other))
    settled = [...others, ...settle(violation, complaints)]
  }
  return settled
}

function standsBelow (inner: Violation, outer: Violation): boolean {
  return inner.schemaPath.startsWith(`${outer.schemaPath}/`) &&
    (inner.instancePath === outer.instancePath || inner.instancePath.startsWith(`${outer.instancePath}/`))
}

function settle (violation: Violation, complaints: Violation[]): Violation[] {
  const branches = Array.isArray(violation.schema) ? violation.schema.filter(isSchema) : []
  const names = branches.map(soleRequired)
  if (names.length > 0 && names.every(name => name !== undefined)) {
    return names.map(missingProperty => ({ ...violation, params: { missingProperty, names } }))
  }
  if (branches.length > 0 && branches.every(branch => 'const' in branch)) {
    return [{ ...violation, keyword: 'enum', params: { allowedValues: branches.map(branch => branch.const) } }]
  }
  const meant = complaintsOfMeantBranch(violation, complaints)
  if (meant !== undefined) return meant
  const types = complaints.filter(isType).flatMap(complaint => complaint.params.type)
  return [types.length > 0 ? { ...violation, keyword: 'type', params: { type: types } } : { ...violation, params: {} }]
}

const isSchema = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object'
const isType = (violation: Violation) => violation.keyword === 'type'

/** The property's name when a branch says no more than `{ required: [name] }`. */
function soleRequired (branch: Record<string, unknown>): string | undefined {
  const { required } = branch
  if (!Array.isArray(required) || required.length !== 1 || Object.keys(branch).length !== 1) return undefined
  return typeof required[0] === 'string' ? required[0] : undefined
}

/** Of the branches whose type is right, the one with the fewest complaints. */
function complaintsOfMeantBranch (violation: Violation, complaints: Violation[]): Violation[] | undefined {
  const byBranch = new Map<string, Violation[]>()
  for (const complaint of complaints) {
    const branch = complaint.schemaPath.slice(violation.schemaPath.length + 1).split('/', 1).join()
    byBranch.set(branch, [...byBranch.get(branch) ?? [], complaint])
  }
  return [...byBranch.values()]
    .filter(own => !own.some(complaint => isType(complaint) && complaint.instancePath === violation.instancePath))
    .sort((one, other) => one.length - other.length)[0]
}
