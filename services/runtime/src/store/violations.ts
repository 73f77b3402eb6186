/** SQLSTATE 23505: another transaction wrote this key first. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && (error as {code?: unknown}).code === '23505'
}
