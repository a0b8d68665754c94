import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { describeWith } from '../../programs.ts'
import { tempFolder } from '../temp-folder.ts'
import { writeShard } from './shard-case.ts'

function python(script: string, ...args: string[]): unknown {
  const env = { ...process.env, HF_HUB_OFFLINE: '1', HF_DATASETS_OFFLINE: '1', HF_HOME: tempFolder() }
  const text = execFileSync('python3', ['-c', script, ...args], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')
}

describeWith(['python:webdataset'], 'the webdataset library', () => {
  it('reads our tars', async () => {
    const folder = tempFolder()
    await writeShard(folder)
    const found = python(
      `import sys, json, webdataset as wds
d = list(wds.WebDataset(sys.argv[1], shardshuffle=False).decode())
print(json.dumps([len(d), d[0]['__key__'], d[0]['txt'], d[0]['json']['n'], sorted(k for k in d[3] if k[0] != '_'), d[3]['txt'], d[0]['jpg'] is not None]))`,
      `${folder}/0000.tar`,
    )
    expect(found).toEqual([16, '000000', 'caption 0 é', 2 ** 60, ['jpg', 'json', 'txt'], '', true])
  })
})

describeWith(['python3'], 'tarfile of Python', () => {
  it('reads every member of our tars whole, by its own checksums of headers', async () => {
    const folder = tempFolder()
    await writeShard(folder)
    const found = python(
      `import sys, json, tarfile
with tarfile.open(sys.argv[1], 'r:', format=tarfile.USTAR_FORMAT, errorlevel=2) as tar:
    members = tar.getmembers()
    images = [tar.extractfile(m).read() for m in members if m.name.endswith('.jpg')]
print(json.dumps([len(members), members[0].name, sorted({m.mtime for m in members}), sorted({m.type.decode() for m in members}), len(images), all(i[:2] == b'\\xff\\xd8' for i in images)]))`,
      `${folder}/0000.tar`,
    )
    expect(found).toEqual([48, '000000.jpg', [0], ['0'], 16, true])
  })
})

describeWith(['python:duckdb'], 'DuckDB of Python', () => {
  it('queries metadata, images and logs, row for row', async () => {
    const folder = tempFolder()
    await writeShard(folder, { layout: { outputFormat: 'parquet' } })
    const found = python(
      `import sys, json, duckdb
q = lambda sql: duckdb.sql(sql.replace('DATA', "'" + sys.argv[1] + "/0000.parquet'").replace('LOG', "'" + sys.argv[1] + "/0000_log.parquet'")).fetchall()
print(json.dumps([q('SELECT count(*), count(DISTINCT key), count(jpg) FROM DATA')[0], q('SELECT count(*) FROM DATA JOIN LOG USING (key, status)')[0], q('SELECT status, count(*) FROM DATA GROUP BY ALL ORDER BY 2 DESC')[0]]))`,
      folder,
    )
    expect(found).toEqual([[20, 20, 16], [20], ['success', 16]])
  })
})

describeWith(['python:pyarrow'], 'pyarrow', () => {
  it('reads our metadata, images and logs', async () => {
    const folder = tempFolder()
    await writeShard(folder, { layout: { outputFormat: 'parquet' } })
    const found = python(
      `import sys, json, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1] + '/0000.parquet'); log = pq.read_table(sys.argv[1] + '/0000_log.parquet')
print(json.dumps([t.num_rows, str(t.schema.field('jpg').type), str(t.schema.field('width').type), str(t.schema.field('n').type), t['jpg'][0].as_py()[:2].hex(), t['jpg'][4].as_py(), str(log.schema.field('started_at').type)]))`,
      folder,
    )
    expect(found).toEqual([20, 'binary', 'int32', 'int64', 'ffd8', null, 'timestamp[ms, tz=UTC]'])
  })
})

function loadScript(builder: string): string {
  return `import sys, json, datasets
d = datasets.load_dataset('${builder}', data_files={'train': sys.argv[1]}, split='train', cache_dir=sys.argv[2])
r = d[0]
image = r.get('image', r.get('jpg'))
print(json.dumps([d.num_rows, sorted(d.column_names)[:3], list(image.size) if hasattr(image, 'size') else type(image).__name__]))`
}

describeWith(['python:datasets', 'python:PIL'], 'the datasets library of Hugging Face', () => {
  it('loads webdataset shards', async () => {
    const folder = tempFolder()
    await writeShard(folder)
    const found = python(loadScript('webdataset'), `${folder}/0000.tar`, tempFolder())
    expect(found).toEqual([16, ['__key__', '__url__', 'jpg'], [8, 8]])
  })

  it('loads Parquet shards with structs as images', async () => {
    const folder = tempFolder()
    await writeShard(folder, { layout: { outputFormat: 'parquet', parquetImages: 'struct' } })
    expect(python(loadScript('parquet'), `${folder}/0000.parquet`, tempFolder())).toEqual([
      20,
      ['boxes', 'caption', 'content_type'],
      [8, 8],
    ])
  })

  it('loads Parquet shards with plain bytes', async () => {
    const folder = tempFolder()
    await writeShard(folder, { layout: { outputFormat: 'parquet' } })
    expect(python(loadScript('parquet'), `${folder}/0000.parquet`, tempFolder())).toEqual([
      20,
      ['boxes', 'caption', 'content_type'],
      'bytes',
    ])
  })
})
