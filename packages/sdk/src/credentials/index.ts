export {credentialsPath} from './file.ts'
export type {Credential, Renewal, Secrets} from './record.ts'
export {CredentialStore, type Login} from './store.ts'
export {loginToken} from './token.ts'
