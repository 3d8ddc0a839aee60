internal import Dispatch
package import ImageFormats
package import Storage
internal import Synchronization

/// Copies a disk into a fresh image: whatever the source's map calls zero is never touched, the rest is read and
/// decoded by one worker per core, scanned for zeros and written.
package final class Converter: Sendable {
    /// How many bytes of the disk are done, and of how many. Called from worker threads.
    package typealias Progress = @Sendable (_ done: UInt64, _ total: UInt64) -> Void

    private let source: any BlockDevice
    private let target: Image
    private let zeroGranularity: Int
    private let windowSize: UInt64
    private let progress: Progress?
    private let isCancelled: @Sendable () -> Bool

    private let plan: Mutex<ConversionPlan>
    /// One writer at a time: formats choose space under it. A span cannot enter Mutex's closure.
    private let writing = DispatchSemaphore(value: 1)
    private let failure = Mutex<StorageError?>(nil)
    private let stopped = Atomic<Bool>(false)
    private let cloneFailed = Atomic<Bool>(false)
    private let copied = Atomic<UInt64>(0)
    private let sinceWriteback = Atomic<UInt64>(0)

    /// Bytes that one worker holds at a time.
    private static let bufferSize: UInt64 = 1 << 20

    /// After how many bytes the host is asked to write back. Left alone, it hoards the output until the flush at
    /// the end, and the disk idles while the processors copy.
    private static let writebackInterval: UInt64 = 16 << 20

    /// A conversion of `source` into `target`, which reads as zeros and is at least as large.
    ///
    /// `unit` is the target's cluster, block or grain in bytes: zero runs are left out in multiples of it.
    package init(
        source: any BlockDevice, target: Image, unit: UInt64?, progress: Progress? = nil,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(StorageError) {
        guard target.byteCount >= source.byteCount else {
            throw StorageError(
                .misuse, layer: "conversion", code: "target-too-small",
                "the target has \(target.byteCount) bytes and the source \(source.byteCount)")
        }
        self.source = source
        self.target = target
        self.progress = progress
        self.isCancelled = isCancelled
        let unit = max(unit ?? 4096, 512)
        // A dynamic VHD's block of 2 MiB is left out whole or in pieces of 64 KiB within an allocated one; finer
        // holes would only cost system calls.
        zeroGranularity = Int(min(unit, 64 << 10))
        windowSize = unit >= Self.bufferSize ? unit : Self.bufferSize / unit * unit
        plan = Mutex(ConversionPlan(source: source, byteCount: source.byteCount, windowSize: windowSize))
    }

    /// Copies everything and makes it durable. Throws the first error of any worker; code "cancelled" when
    /// `isCancelled` said so.
    package func run(workers: Int) throws(StorageError) {
        DispatchQueue.concurrentPerform(iterations: max(workers, 1)) { _ in self.work() }
        if let error = failure.withLock({ $0 }) { throw error }
        try target.flush()
        progress?(source.byteCount, source.byteCount)
    }

    /// Bytes that were written to the target.
    package var copiedByteCount: UInt64 { copied.load(ordering: .relaxed) }

    private func work() {
        var buffer = ByteBuffer(byteCount: Int(Self.bufferSize))
        do throws(StorageError) {
            while !stopped.load(ordering: .relaxed) {
                if isCancelled() {
                    throw StorageError(.refused, layer: "conversion", code: "cancelled", "was interrupted")
                }
                let (batch, position) = try next()
                guard let batch else { return }
                if try !clone(batch) { try copy(batch.range, &buffer) }
                progress?(position, source.byteCount)
            }
        } catch {
            failure.withLock { $0 = $0 ?? error }
            stopped.store(true, ordering: .relaxed)
        }
    }

    private func next() throws(StorageError) -> (ConversionPlan.Batch?, UInt64) {
        // Mutex.withLock passes one error type through; the result carries the other.
        let result = plan.withLock { plan -> Result<(ConversionPlan.Batch?, UInt64), StorageError> in
            do throws(StorageError) {
                let batch = try plan.next()
                return .success((batch, plan.progress))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func copy(_ range: Range<UInt64>, _ buffer: inout ByteBuffer) throws(StorageError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let count = Int(min(range.upperBound - position, Self.bufferSize))
            do {
                var all = buffer.mutableBytes
                var part = all.part(0..<count)
                try source.read(into: &part, at: position)
            }
            try writeData(in: buffer.bytes.extracting(0..<count), at: position)
            position += UInt64(count)
        }
    }

    /// Writes the runs that are not zero, in pieces of the zero granularity.
    private func writeData(in bytes: RawSpan, at offset: UInt64) throws(StorageError) {
        var runStart: Int?
        var position = 0
        while position < bytes.byteCount {
            // Pieces end at multiples of the granularity on the disk, not in the buffer.
            let misalignment = Int((offset + UInt64(position)) % UInt64(zeroGranularity))
            let end = min(position + zeroGranularity - misalignment, bytes.byteCount)
            if bytes.extracting(position..<end).isAllZero {
                if let start = runStart {
                    try write(bytes.extracting(start..<position), at: offset + UInt64(start))
                    runStart = nil
                }
            } else if runStart == nil {
                runStart = position
            }
            position = end
        }
        if let start = runStart {
            try write(bytes.extracting(start..<bytes.byteCount), at: offset + UInt64(start))
        }
    }

    private func write(_ bytes: RawSpan, at offset: UInt64) throws(StorageError) {
        do {
            writing.wait()
            defer { writing.signal() }
            try target.write(bytes, at: offset)
        }
        let count = UInt64(bytes.byteCount)
        copied.add(count, ordering: .relaxed)
        guard sinceWriteback.add(count, ordering: .relaxed).newValue >= Self.writebackInterval else { return }
        sinceWriteback.store(0, ordering: .relaxed)
        for file in target.map.hostFiles { file.startWriteback() }
    }

    /// Shares the batch's blocks with the target where both lie on one host file system that can (XFS, Btrfs).
    /// False: nothing was done.
    private func clone(_ batch: ConversionPlan.Batch) throws(StorageError) -> Bool {
        guard let plain = batch.plain, !cloneFailed.load(ordering: .relaxed) else { return false }
        let count = batch.range.upperBound - batch.range.lowerBound
        let alignment: UInt64 = 4096
        guard count % alignment == 0, plain.offset % alignment == 0 else { return false }
        writing.wait()
        defer { writing.signal() }
        guard
            case .inPlace(let file, let offset, let end) = try target.writeTarget(at: batch.range.lowerBound),
            end >= batch.range.upperBound, offset % alignment == 0
        else { return false }
        let from = source.hostFiles[plain.file]
        guard target.map.hostFiles[file].clone(from, at: plain.offset, count: count, to: offset) else {
            cloneFailed.store(true, ordering: .relaxed)
            return false
        }
        copied.add(count, ordering: .relaxed)
        return true
    }
}
