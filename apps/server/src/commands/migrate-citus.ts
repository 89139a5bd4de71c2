/** What `acopay-server migrate` says of a Citus: what is spread over its nodes, and what spreading would do. */
import { type Cluster, isSpread, unspread } from '@acopay/store'

/** For `status`; nothing on a plain PostgreSQL. */
export function* clusterLines(cluster: Cluster | null): Generator<string> {
  if (cluster === null) return
  const { version, nodes, tables } = cluster
  const spread = tables.filter(({ isSpread: is }) => is).map(({ table }) => table)
  const local = tables.filter(({ isOfMerchants }) => !isOfMerchants).map(({ table }) => table)
  yield `citus ${version}   节点 nodes: ${nodes.join(', ') || '无 none'}`
  if (spread.length > 0) yield `  按 mch_no 分布 spread by mch_no: ${spread.join(', ')}`
  if (!isSpread(cluster)) {
    const left = unspread(cluster).map(({ table }) => table)
    yield `  未分布，仍在协调节点 not spread, still on the coordinator: ${left.join(', ')}`
  }
  yield `  属于安装本身，留在协调节点 of the installation, on the coordinator: ${local.join(', ')}`
}

/** Before it is done. */
export function* spreadingLines(cluster: Cluster, hasRows: boolean): Generator<string> {
  const left = unspread(cluster)
  const rows = left.reduce((sum, table) => sum + table.rows, 0)
  const bytes = left.reduce((sum, table) => sum + table.bytes, 0)
  yield `citus ${cluster.version}: ${left.length} 张商户表尚未分布 tables of merchants are not spread yet`
  for (const { table, rows: count, bytes: size } of left) {
    yield `  ${table}   ${Math.round(count)} 行 rows, ${(size / 1024 ** 2).toFixed(1)} MB`
  }
  if (!hasRows) {
    yield '  它们没有行，migrate up 会将其分布 they have no rows: migrate up spreads them'
    return
  }
  yield `  先停掉网关，再执行 migrate up --spread-rows：一个事务复制约 ${Math.round(rows)} 行、${(bytes / 1024 ** 2).toFixed(0)} MB，期间不能写入 stop the gateways, then run migrate up --spread-rows: it copies about as many rows in one transaction, and nobody can write meanwhile`
}
