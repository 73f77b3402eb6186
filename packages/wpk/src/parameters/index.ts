export {checkDeclarations, checkParameters} from './check.ts'
export {coerceParameter} from './coerce.ts'
export {declarationsOf} from './declarations.ts'
export type {ParameterDeclaration} from './declarations.ts'
export {expandPlaceholders, parameterNameOf, placeholdersIn} from './placeholders.ts'
export type {Placeholder} from './placeholders.ts'
export {resolveParameters} from './resolve.ts'
export type {ParameterLayer, ResolvedParameters} from './resolve.ts'
export {
  declaredReferences,
  formatSecretReference,
  secretFields,
  isVaultPath,
  secretNamesOf,
  secretsNamedBy,
} from './secrets.ts'
export type {SecretReference} from './secrets.ts'
