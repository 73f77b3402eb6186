export type Role = 'reader' | 'publisher' | 'operator' | 'approver' | 'admin'

/** What a route asks for; every role may read. */
export type Permission = 'read' | 'operate' | 'approve'

/** Who sent a request. Two tokens of one name are one person. */
export interface Identity {
  /** Digest of the token; '' when there is none. */
  readonly principal: string
  /** What audit records show. */
  readonly name: string
  readonly role: Role
}

const PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  reader: ['read'],
  publisher: ['read'],
  operator: ['read', 'operate'],
  approver: ['read', 'approve'],
  admin: ['read', 'operate', 'approve'],
}

export function may({role}: Identity, permission: Permission): boolean {
  return PERMISSIONS[role].includes(permission)
}

/** No role is full power, as a bare digest is; a role that is not known may only read. */
export function roleOf(text: string | undefined): Role {
  if (text === undefined) return 'admin'
  return Object.hasOwn(PERMISSIONS, text) ? (text as Role) : 'reader'
}
