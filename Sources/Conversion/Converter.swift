internal import Codecs
internal import Dispatch
package import Storage
internal import Synchronization

/// Copies a disk into a sink: whatever the source's map calls zero is never touched, the rest is read and decoded,
/// scanned for zeros and encoded by several workers, and written in the order that the sink wants.
package final class Converter: Sendable {
    /// How many bytes of the disk are done, and of how many. Called from worker threads.
    package typealias Progress = @Sendable (_ done: UInt64, _ total: UInt64) -> Void

    let source: any BlockDevice
    private let sink: any ConversionSink
    let layout: SinkLayout
    private let zeroGranularity: Int
    private let progress: Progress?

    private let plan: Mutex<ConversionPlan>
    /// One writer at a time: formats choose space under it. A span cannot enter Mutex's closure.
    private let writing = DispatchSemaphore(value: 1)
    private let order = BatchOrder()
    private let queue = BatchQueue<[UnitEncoder.Unit]>()
    private let failure = Mutex<StorageError?>(nil)
    private let stopped = Atomic<Bool>(false)
    private let cloneFailed = Atomic<Bool>(false)
    private let copied = Atomic<UInt64>(0)
    private let sinceWriteback = Atomic<UInt64>(0)

    /// Bytes that one worker holds at a time; or one encoded unit, where that is more.
    private static let bufferSize: UInt64 = 1 << 20
    /// No format's encoded units are larger.
    static let encodedUnitLimit: UInt64 = 4 << 20

    /// After how many bytes the host is asked to write back. Left alone, it hoards the output until the flush at
    /// the end, and the disk idles while the processors copy.
    private static let writebackInterval: UInt64 = 16 << 20

    /// A conversion of `source` into `sink`, which reads as zeros and is at least as large.
    package init(
        source: any BlockDevice, sink: any ConversionSink, progress: Progress? = nil
    ) throws(StorageError) {
        guard sink.byteCount >= source.byteCount else {
            throw StorageError(
                .misuse, ConversionCode.targetTooSmall,
                "the target has \(sink.byteCount) bytes and the source \(source.byteCount)")
        }
        self.source = source
        self.sink = sink
        self.progress = progress
        var layout = sink.layout
        layout.unit = max(layout.unit, 512)
        self.layout = layout
        let unit = layout.unit
        guard layout.encoding == nil || unit <= Self.encodedUnitLimit else {
            throw StorageError(
                .misuse, ConversionCode.unitTooLarge,
                "units of \(unit) bytes are more than \(Self.encodedUnitLimit), the most that are encoded")
        }
        // A dynamic VHD's block of 2 MiB is left out whole or in pieces of 64 KiB within an allocated one; finer
        // holes would only cost system calls.
        zeroGranularity = Int(min(unit, 64 << 10))
        plan = Mutex(
            ConversionPlan(
                source: source, byteCount: source.byteCount,
                windowSize: unit >= Self.bufferSize ? unit : Self.bufferSize / unit * unit,
                units: layout.encoding.map {
                    .init(size: unit, codec: $0.codec.id, areWhole: $0.fillsLastUnit)
                }))
    }

    /// Copies everything and makes it durable. Throws the first error of any worker.
    package func run(workers: Int) throws(StorageError) {
        Cancellation.concurrently(max(workers, 1)) { _ in self.work() }
        if let error = failure.withLock({ $0 }) { throw error }
        try sink.finish()
        progress?(source.byteCount, source.byteCount)
    }

    /// Bytes that were written to the target.
    package var copiedByteCount: UInt64 { copied.load(ordering: .relaxed) }

    private func work() {
        var buffer = ByteBuffer(byteCount: Int(Self.bufferSize))
        do throws(StorageError) {
            let encoder = try layout.encoding.map { (encoding) throws(StorageError) in
                try UnitEncoder(encoding, unit: layout.unit, source: source)
            }
            while !stopped.load(ordering: .relaxed) {
                try Cancellation.check()
                let (batch, position) = try next()
                guard let batch else { return }
                if let encoder {
                    try write(try encoder.units(of: batch), of: batch)
                } else {
                    if try !clone(batch) { try copy(batch, &buffer) }
                    try awaitTurn(of: batch)
                    if layout.order == .ascending { order.complete(batch.number) }
                }
                progress?(position, source.byteCount)
            }
        } catch {
            failure.withLock { $0 = $0 ?? error }
            stopped.store(true, ordering: .relaxed)
            order.stop(error)
            queue.stop(error)
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

    private func copy(_ batch: ConversionPlan.Batch, _ buffer: inout ByteBuffer) throws(StorageError) {
        var position = batch.range.lowerBound
        while position < batch.range.upperBound {
            let count = Int(min(batch.range.upperBound - position, Self.bufferSize))
            do {
                var all = buffer.mutableBytes
                var part = all.part(0..<count)
                try source.read(into: &part, at: position)
            }
            try writeData(in: buffer.bytes.extracting(0..<count), at: position, of: batch)
            position += UInt64(count)
        }
    }

    /// Writes the runs that are not zero, in pieces of the zero granularity.
    private func writeData(
        in bytes: RawSpan, at offset: UInt64, of batch: ConversionPlan.Batch
    ) throws(StorageError) {
        var runStart: Int?
        var position = 0
        while position < bytes.byteCount {
            // Pieces end at multiples of the granularity on the disk, not in the buffer.
            let misalignment = Int((offset + UInt64(position)) % UInt64(zeroGranularity))
            let end = min(position + zeroGranularity - misalignment, bytes.byteCount)
            if bytes.extracting(position..<end).isAllZero {
                if let start = runStart {
                    try write(bytes.extracting(start..<position), at: offset + UInt64(start), of: batch)
                    runStart = nil
                }
            } else if runStart == nil {
                runStart = position
            }
            position = end
        }
        if let start = runStart {
            try write(bytes.extracting(start..<bytes.byteCount), at: offset + UInt64(start), of: batch)
        }
    }

    private func write(
        _ bytes: RawSpan, at offset: UInt64, of batch: ConversionPlan.Batch
    ) throws(StorageError) {
        try awaitTurn(of: batch)
        do {
            writing.wait()
            defer { writing.signal() }
            try sink.write(bytes, at: offset)
        }
        count(bytes.byteCount)
    }

    /// In the sink's order; the worker goes on while its units wait for their turn.
    private func write(
        _ units: [UnitEncoder.Unit], of batch: ConversionPlan.Batch
    ) throws(StorageError) {
        guard layout.order == .ascending else { return try write(units) }
        try queue.deliver(units, number: batch.number) { (units) throws(StorageError) in try write(units) }
    }

    private func write(_ units: [UnitEncoder.Unit]) throws(StorageError) {
        for unit in units { try write(unit) }
    }

    private func write(_ unit: UnitEncoder.Unit) throws(StorageError) {
        switch unit {
        case .plain(let bytes, let offset):
            do {
                writing.wait()
                defer { writing.signal() }
                try sink.write(bytes.span8, at: offset)
            }
            count(bytes.count)
        case .encoded(let unit):
            do {
                writing.wait()
                defer { writing.signal() }
                try sink.write(unit)
            }
            count(unit.bytes.count)
        }
    }

    /// Returns when nothing that comes before this batch is left to be written.
    private func awaitTurn(of batch: ConversionPlan.Batch) throws(StorageError) {
        if layout.order == .ascending { try order.wait(for: batch.number) }
    }

    private func count(_ byteCount: Int) {
        copied.add(UInt64(byteCount), ordering: .relaxed)
        let waiting = sinceWriteback.add(UInt64(byteCount), ordering: .relaxed).newValue
        guard waiting >= Self.writebackInterval else { return }
        sinceWriteback.store(0, ordering: .relaxed)
        sink.startWriteback()
    }

    /// Shares the batch's blocks with the sink where both lie on one host file system that can (XFS, Btrfs).
    /// False: nothing was done.
    private func clone(_ batch: ConversionPlan.Batch) throws(StorageError) -> Bool {
        guard let plain = batch.plain, !cloneFailed.load(ordering: .relaxed) else { return false }
        let count = batch.range.upperBound - batch.range.lowerBound
        let alignment: UInt64 = 4096
        guard count % alignment == 0, plain.offset % alignment == 0 else { return false }
        try awaitTurn(of: batch)
        writing.wait()
        defer { writing.signal() }
        switch try sink.clone(source.hostFiles[plain.file], at: plain.offset, to: batch.range) {
        case .done:
            copied.add(count, ordering: .relaxed)
            return true
        case .notHere: return false
        case .never:
            cloneFailed.store(true, ordering: .relaxed)
            return false
        }
    }
}
