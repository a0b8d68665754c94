import { describePackWriterContract } from '../contract/pack-writer.ts'

describePackWriterContract('PDF', { format: 'pdf', name: 'book.pdf', converts: true })
describePackWriterContract('PDF/A', {
  format: 'pdf',
  name: 'book.pdf',
  options: { pdfA: true },
  converts: true,
})
describePackWriterContract('encrypted PDF', {
  format: 'pdf',
  name: 'book.pdf',
  options: { password: 'sécret' },
  deterministic: false,
})
describePackWriterContract('CBZ', { format: 'cbz', name: 'book.cbz' })
describePackWriterContract('EPUB', { format: 'epub', name: 'book.epub', converts: true })
describePackWriterContract('ZIP', { format: 'zip', name: 'book.zip' })
describePackWriterContract('encrypted ZIP', {
  format: 'zip',
  name: 'book.zip',
  options: { password: 'sécret' },
  deterministic: false,
})
describePackWriterContract('folder', { format: 'folder', name: 'book' })
describePackWriterContract('long image', { format: 'long', name: 'book.jpg', readsBack: false })
