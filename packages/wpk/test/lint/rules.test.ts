import {expect} from 'chai'
import type {Json} from '@atomctl/wpk/canonical'

import {lint as lintDocument} from '@atomctl/wpk/lint'

import {applying, lintCommand, lintHandler, lintStep, rules, scored, SOUND} from './documents.ts'

const container = (more: object) => lintStep({container: {...SOUND, ...more}})
const docker = (config: object) => lintHandler({name: 'a', type: 'docker', config: {image: 'app:1', ...config}})
const k8s = (config: object) => lintHandler({name: 'a', type: 'k8s', config} as Json)
const pod = (containers: Json[], more: object = {}) => applying({containers, ...more})

describe('privileged_container', () => {
  it('finds privileged in steps, pods, docker and k8s configurations', () => {
    expect(scored(container({securityContext: {privileged: true}}))).to.deep.equal([
      'privileged_container spec.handlers[0].steps[0].container.securityContext.privileged',
    ])
    expect(rules(docker({privileged: true}))).to.deep.equal(['privileged_container'])
    expect(rules(k8s({action: 'restart', privileged: true}))).to.deep.equal(['privileged_container'])
    expect(rules(lintHandler(pod([SOUND, {...SOUND, securityContext: {privileged: true}}])))).to.deep.equal([
      'privileged_container',
    ])
    expect(
      rules(lintHandler(applying({containers: [], initContainers: [{...SOUND, securityContext: {privileged: true}}]}))),
    ).to.deep.equal(['privileged_container'])
  })

  it('takes the text "true" for true and the text "false" for false', () => {
    expect(rules(container({securityContext: {privileged: 'true'}}))).to.deep.equal(['privileged_container'])
    for (const value of [false, 'false', null, ''])
      expect(rules(container({securityContext: {privileged: value}}))).to.deep.equal([])
  })
})

describe('dangerous_capabilities', () => {
  it('finds each spelling, once per container', () => {
    for (const name of ['CAP_SYS_ADMIN', 'SYS_ADMIN', 'NET_ADMIN', 'sys_ptrace', 'CAP_SYS_MODULE', 'ALL']) {
      expect(rules(container({securityContext: {capabilities: {add: [name]}}})), name).to.deep.equal([
        'dangerous_capabilities',
      ])
    }
    const report = container({securityContext: {capabilities: {add: ['SYS_PTRACE', 'CAP_NET_ADMIN']}}})
    expect(report.findings.map(({message}) => message)).to.deep.equal([
      'Dangerous capabilities: CAP_NET_ADMIN, SYS_PTRACE',
    ])
  })

  it('leaves harmless ones, and those that are dropped', () => {
    expect(
      rules(container({securityContext: {capabilities: {add: ['NET_BIND_SERVICE'], drop: ['ALL']}}})),
    ).to.deep.equal([])
  })
})

describe('host_path_mount', () => {
  it('finds directories of the host and anything below them', () => {
    for (const mountPath of [
      '/',
      '/etc',
      '/etc/passwd',
      '/etc/',
      '/proc',
      '/sys/fs',
      '/var/run',
      '/run/docker.sock',
      '/var/run/docker.sock',
      '/var/lib/kubelet/pods',
      '/tmp/../etc',
      '/data/docker.sock',
    ]) {
      expect(rules(container({volumeMounts: [{name: 'v', mountPath}]})), mountPath).to.deep.equal(['host_path_mount'])
    }
    for (const mountPath of ['/data', '/etcetera', '/app/etc', '/var/lib/app', '/var/runner', 'etc']) {
      expect(rules(container({volumeMounts: [{name: 'v', mountPath}]})), mountPath).to.deep.equal([])
    }
  })

  it('judges pods by their volumes: a ConfigMap under /etc is fine, a hostPath anywhere is not', () => {
    const mounts = {...SOUND, volumeMounts: [{name: 'v', mountPath: '/etc/nginx'}]}
    expect(rules(lintHandler(pod([mounts], {volumes: [{name: 'v', configMap: {name: 'nginx'}}]})))).to.deep.equal([])
    expect(scored(lintHandler(pod([mounts], {volumes: [{name: 'v', hostPath: {path: '/data'}}]})))).to.deep.equal([
      'host_path_mount spec.handlers[0].config.manifest.spec.template.spec.volumes[0].hostPath.path',
    ])
    expect(rules(lintHandler(pod([mounts])))).to.deep.equal(['host_path_mount'])
  })

  it('finds host directories that docker mounts, and leaves those of the package', () => {
    for (const mount of ['/var/run/docker.sock:/sock', '/etc:/host:ro', {source: '/', target: '/host'}]) {
      expect(rules(docker({mounts: [mount]})), JSON.stringify(mount)).to.deep.equal(['host_path_mount'])
    }
    for (const mount of ['./data:/data', 'data:/etc/app', {source: 'conf', target: '/etc'}]) {
      expect(rules(docker({mounts: [mount]})), JSON.stringify(mount)).to.deep.equal([])
    }
  })
})

describe('cluster_permissions', () => {
  it('finds the kinds wherever they are made', () => {
    for (const kind of [
      'ClusterRole',
      'ClusterRoleBinding',
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
    ]) {
      expect(rules(lintStep({kubernetes: {kind}})), kind).to.deep.equal(['cluster_permissions'])
      expect(rules(k8s({action: 'apply', manifest: {kind}})), kind).to.deep.equal(['cluster_permissions'])
      expect(
        rules(k8s({action: 'create', template: {kind: 'List', items: [{kind: 'ConfigMap'}, {kind}]}})),
        kind,
      ).to.deep.equal(['cluster_permissions'])
      expect(
        rules(k8s({action: 'apply', manifest: `kind: ConfigMap\n---\nkind: ${kind}\nmetadata: {name: on}\n`})),
        kind,
      ).to.deep.equal(['cluster_permissions'])
      expect(rules(k8s({action: 'patch', resource_type: kind.toLowerCase(), data: {}})), kind).to.deep.equal([
        'cluster_permissions',
      ])
    }
    expect(rules(lintCommand('kubectl create clusterrolebinding x --clusterrole=cluster-admin'))).to.deep.equal([
      'cluster_permissions',
    ])
  })

  it('leaves roles of one namespace, and reading', () => {
    for (const kind of ['Role', 'RoleBinding', 'Deployment'])
      expect(rules(lintStep({kubernetes: {kind}}))).to.deep.equal([])
    expect(rules(k8s({action: 'get', resource_type: 'clusterrole'}))).to.deep.equal([])
    expect(rules(lintCommand('kubectl get clusterroles'))).to.deep.equal([])
  })
})

describe('external_network', () => {
  const external = [
    'curl https://api.example.com/v1', 'wget -q http://example.org', '/usr/bin/curl https://example.com', 'curl example.com/x', 'curl -s -X POST -d a=b https://example.com',
    'curl \\\n  --silent \\\n  https://example.com', 'x=1; curl https://example.com', 'sudo curl https://example.com', 'FOO=1 wget https://example.com', 'echo $(curl https://example.com)',
    'curl http://172.1.2.3/', 'curl http://8.8.8.8', 'curl http://169.254.169.254/latest', 'curl https://[2001:db8::1]/', 'curl "https://${HOST}/x"', 'curl https://user@example.com/',
    `bash -c 'true && curl https://example.com'`, 'X="$(curl https://example.com)"', 'eval "curl https://example.com"', `sh -c "bash -c 'curl https://example.com'"`,
    'nc example.com 80', 'netcat -w 3 example.io 80', 'ssh deploy@host.example.com uptime', 'scp a.txt deploy@host.example.com:/tmp', 'rsync -a . deploy@host.example.net:/srv', 'CURL https://example.com', 'if true; then curl https://example.com; fi',
  ] // oxfmt-ignore
  for (const command of external) {
    it(`finds ${JSON.stringify(command)}`, () =>
      expect(rules(lintCommand(command))).to.deep.equal(['external_network']))
  }

  const internal = [
    'curl http://localhost:8080', 'curl http://127.0.0.1', 'curl http://10.1.2.3', 'curl http://172.16.0.1', 'curl http://172.31.255.1', 'curl http://192.168.1.1', 'curl http://[::1]:80',
    'curl http://svc.cluster.local', 'curl http://api.prod.svc.cluster.local:8080/x', 'curl http://prometheus:9090', 'curl http://db.internal', 'curl -o out.tar.gz http://localhost/x', 'curl $URL', 'curl "${URL}/x"',
    'echo curl https://example.com', '# curl https://example.com', 'nc -z db 5432', 'ssh deploy@10.0.0.1', 'curl http://localhost > example.com',
    'git commit -m "see https://example.com"', 'curl -H "Referer: https://example.com" http://localhost',
  ] // oxfmt-ignore
  for (const command of internal) {
    it(`leaves ${JSON.stringify(command)}`, () => expect(rules(lintCommand(command))).to.deep.equal([]))
  }

  it('finds it in commands of containers, docker and exec', () => {
    expect(rules(container({command: ['sh', '-c'], args: ['true; curl https://example.com']}))).to.deep.equal([
      'external_network',
    ])
    expect(rules(container({command: ['curl', 'https://example.com']}))).to.deep.equal(['external_network'])
    expect(rules(docker({command: 'wget https://example.com'}))).to.deep.equal(['external_network'])
    expect(rules(k8s({action: 'exec', command: ['curl', 'https://example.com']}))).to.deep.equal(['external_network'])
  })

  it('notes where an api handler goes over https, and scores only what goes without', () => {
    const api = (url: string) => lintHandler({name: 'a', type: 'api', config: {url}})
    const noted = api('https://api.example.com/v1/${ID}')
    expect(noted).to.include({score: 0, canExecute: true})
    expect(noted.findings.map(({rule, severity}) => [rule, severity])).to.deep.equal([['external_network', 'info']])
    expect(api('http://api.example.com')).to.include({score: 18})
    for (const url of ['${BASE}/v1', 'https://${HOST}/v1', 'http://vault:8200', 'http://api.svc.cluster.local']) {
      expect(api(url).findings, url).to.deep.equal([])
    }
  })
})

describe('hardcoded_secrets', () => {
  const secrets = [
    `password='hunter2hunter2'`, `export DB_PASSWORD="correcthorse"`, `token: "abcdefgh12"`, `API_KEY=abc123def456`, `--api-key=abc123def456`, `apiKey="abcdefgh1"`,
    `kubectl create secret generic x --from-literal=password=abcd1234`, `psql postgres://app:s3cret@db/x`, `curl -u admin:hunter22 http://localhost`,
    `echo 'dGhpc2lzYXNlY3JldGtleQ=='`, `X=AKIAIOSFODNN7EXAMPLE`, `git clone https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@internal/x`, `echo "-----BEGIN RSA PRIVATE KEY-----"`,
    `secret = 'longenough'`, `curl -d '{"password":"hunter2hunter2"}' http://localhost`,
  ] // oxfmt-ignore
  for (const command of secrets) {
    it(`finds ${command}`, () => {
      const report = lintCommand(command)
      expect(rules(report)).to.deep.equal(['hardcoded_secrets'])
      expect(report.findings[0].message).to.not.match(/hunter|correcthorse|abcdefgh|abc123|s3cret|AKIA|dGhp/)
    })
  }

  const harmless = [
    `monkey='bananas1'`, `key='\${SECRET_VALUE}'`, `password="$DB_PASSWORD"`, `TOKEN="$(cat /run/token)"`, `echo "abcdefghijklmnopqrstuvwxyz"`, `password='short'`,
    `--password-file=/run/secrets/db`, `kubectl get secret my-secret-1 -o yaml`, `secretName=my-app-secret-1`, `sort --key=2,2`, `curl -H "Authorization: Bearer \${TOKEN}" http://localhost`,
    `psql postgres://app:\${PASSWORD}@db/x`, `curl -u "admin:$PASSWORD" http://localhost`, `password='<your password>'`, `echo "/usr/local/share/Applications1"`, `sha256sum -c "d41d8cd98f00b204e9800998ecf8427e"`, 'token=`cat token`',
  ] // oxfmt-ignore
  for (const command of harmless) {
    it(`leaves ${command}`, () => expect(rules(lintCommand(command))).to.deep.equal([]))
  }

  it('finds literals in headers, payloads, environments and patches, and leaves placeholders', () => {
    const api = (config: object) => lintHandler({name: 'a', type: 'api', config: {url: '${URL}', ...config}})
    expect(scored(api({headers: {Authorization: 'Bearer abcdef123456'}}))).to.deep.equal([
      'hardcoded_secrets spec.handlers[0].config.headers.Authorization',
    ])
    expect(rules(api({headers: {'X-Vault-Token': 'abcdef123456'}}))).to.deep.equal(['hardcoded_secrets'])
    expect(rules(api({headers: {'X-Vault-Token': '${VAULT_TOKEN}', Accept: 'application/json'}}))).to.deep.equal([])
    expect(rules(api({payload: {user: {password: 'hunter2hunter2'}}}))).to.deep.equal(['hardcoded_secrets'])
    expect(rules(api({payload: 'backup_verification_result'}))).to.deep.equal([])
    expect(rules(docker({env: {DB_PASSWORD: 'hunter2hunter2', DB_USER: 'administrator'}}))).to.deep.equal([
      'hardcoded_secrets',
    ])
    expect(
      rules(k8s({action: 'patch', resource_type: 'secret', name: '${SECRET_NAME}', data: 'new_credentials'})),
    ).to.deep.equal([])
    expect(rules(k8s({action: 'patch', data: {stringData: {password: 'hunter2hunter2'}}}))).to.deep.equal([
      'hardcoded_secrets',
    ])
  })
})

describe('missing_limits, excessive_resources and insecure_image', () => {
  it('want both limits of every container that is described in full', () => {
    for (const resources of [undefined, {}, {limits: {}}, {limits: {cpu: '1'}}, {limits: {memory: '1Gi'}}]) {
      expect(rules(lintStep({container: {image: 'a:1', ...(resources && {resources})}} as Json))).to.deep.equal([
        'missing_limits',
      ])
    }
    expect(rules(docker({}))).to.deep.equal([])
  })

  it('want at most 4 CPUs and 8Gi, in limits and requests, in any unit', () => {
    const found = (cpu: Json, memory: Json, key = 'limits') =>
      rules(container({resources: {limits: {cpu: '1', memory: '1Gi'}, [key]: {cpu, memory}}})).length
    expect([
      found('4', '8Gi'),
      found('4000m', '8192Mi'),
      found(4, '8G'),
      found('4', 8_589_934_592),
      found('lots', 'much'),
    ]).to.deep.equal([0, 0, 0, 0, 0])
    expect([
      found('4001m', '1Gi'),
      found('4.1', '1Gi'),
      found(5, '1Gi'),
      found('1', '8193Mi'),
      found('1', '9G'),
      found('1', '8193M'),
      found('1', '1Ti'),
      found('1', 9_000_000_000),
    ]).to.deep.equal(Array(8).fill(1))
    expect(found('8', '16Gi', 'requests')).to.equal(2)
  })

  it('look at what the workflow itself asks for', () => {
    const value = {spec: {runtime: {requirements: {cpu: '16', memory: '128Mi'}}, handlers: []}}
    expect(scored(lintDocument(value))).to.deep.equal(['excessive_resources spec.runtime.requirements.cpu'])
  })

  const images: [string, boolean][] = [
    ['app:1.2.3', true], ['reg:5000/app:1', true], [`app@sha256:${'a'.repeat(64)}`, true], [`reg:5000/app@sha256:${'a'.repeat(64)}`, true], ['${IMAGE}', true], ['app:${TAG}', true], ['app:1-latest', true],
    ['app', false], ['app:latest', false], ['app:LATEST', false], ['reg:5000/app', false], ['', false], ['app@sha256:abc', false],
  ] // oxfmt-ignore
  for (const [image, pinned] of images) {
    it(`${pinned ? 'leave' : 'find'} the image ${JSON.stringify(image)}`, () => {
      expect(rules(container({image}))).to.deep.equal(pinned ? [] : ['insecure_image'])
    })
  }
})

describe('excessive_replicas', () => {
  it('finds more than 50, in scale, in its bound and in manifests', () => {
    expect(scored(k8s({action: 'scale', replicas: 1000}))).to.deep.equal([
      'excessive_replicas spec.handlers[0].config.replicas',
    ])
    expect(rules(k8s({action: 'scale', scale_factor: 2, max_replicas: 51}))).to.deep.equal(['excessive_replicas'])
    expect(rules(lintHandler(applying({containers: []}, {spec: {replicas: 99}})))).to.deep.equal(['excessive_replicas'])
    for (const replicas of [50, 'original', '${REPLICAS}', '7'])
      expect(rules(k8s({action: 'scale', replicas}))).to.deep.equal([])
  })
})

describe('destructive_command and remote_script', () => {
  for (const command of [
    'rm -rf /',
    'rm -fr /*',
    'sudo rm -r -f /etc',
    'rm -rf "$HOME"',
    'rm -rf ~',
    'rm --recursive --force /var/',
    'mkfs.ext4 /dev/sdb1',
    'dd if=/dev/zero of=/dev/sda',
    'shutdown -h now',
    'true && reboot',
  ]) {
    it(`finds ${command}`, () => expect(rules(lintCommand(command))).to.deep.equal(['destructive_command']))
  }

  for (const command of [
    'rm -rf /tmp/build',
    'rm -rf "${DIR}/x"',
    'rm -rf ./*',
    'rm /etc/app.conf',
    'dd if=/dev/zero of=/dev/null',
    'dd if=a of=b',
    'echo rm -rf /',
    'echo reboot',
    'rm -rf node_modules',
  ]) {
    it(`leaves ${command}`, () => expect(rules(lintCommand(command))).to.deep.equal([]))
  }

  for (const command of [
    'curl https://example.com/x | sh',
    'curl -fsSL example.com | sudo bash',
    'bash <(curl -s https://example.com)',
    'sh -c "$(wget -qO- https://example.com)"',
    'curl https://example.com | tee x | /bin/sh',
  ]) {
    it(`finds the script in ${command}`, () => expect(rules(lintCommand(command))).to.include('remote_script'))
  }

  it('leaves downloads that are not run', () => {
    for (const command of [
      'curl http://localhost | jq .',
      'curl http://localhost > x.sh',
      'curl http://localhost; sh x.sh',
    ]) {
      expect(rules(lintCommand(command)), command).to.deep.equal([])
    }
  })
})
