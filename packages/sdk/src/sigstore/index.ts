export {loadTrustRoot, PUBLIC_GOOD} from './trusted-root.ts'
