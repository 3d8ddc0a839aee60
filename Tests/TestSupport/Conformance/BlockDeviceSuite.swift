package import Storage
package import Testing

/// What every `BlockDevice` owes whoever reads it, and every writable one whoever writes.
package enum BlockDeviceSuite {
    /// The device shows exactly `contents`, however it is read, and its extents tell the truth about it.
    package static func reads(
        _ device: any BlockDevice, _ contents: [UInt8], seed: UInt64 = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try #require(device.byteCount == UInt64(contents.count), sourceLocation: sourceLocation)
        #expect(device.sectorSize == 512 || device.sectorSize == 4096, sourceLocation: sourceLocation)
        try extents(of: device, contents, sourceLocation)
        var random = SeededRandom(seed)
        for number in 0..<60 {
            let limit = max(min(contents.count, 3_000_000 >> Int.random(in: 0...20, using: &random)), 1)
            let count = Int.random(in: 1...limit, using: &random)
            // To the very end, too.
            let offset =
                number % 8 == 0
                ? contents.count - count : Int.random(in: 0...contents.count - count, using: &random)
            let bytes = try device.bytes(at: UInt64(offset), count: count)
            #expect(
                isSame(bytes, Array(contents[offset..<offset + count])), "\(count) bytes at \(offset)",
                sourceLocation: sourceLocation)
            let extent = try device.nextExtent(at: UInt64(offset))
            #expect(
                extent.range.lowerBound == UInt64(offset) && extent.range.upperBound > UInt64(offset)
                    && extent.range.upperBound <= device.byteCount, "\(offset)",
                sourceLocation: sourceLocation)
        }
        try bounds(of: device, sourceLocation)
    }

    /// Extents follow each other from the start to the end; zeros are zeros and plain bytes lie where they are said to.
    private static func extents(
        of device: any BlockDevice, _ contents: [UInt8], _ sourceLocation: SourceLocation
    ) throws {
        var position: UInt64 = 0
        while position < device.byteCount {
            let extent = try device.nextExtent(at: position)
            try #require(
                extent.range.lowerBound == position && extent.range.upperBound > position
                    && extent.range.upperBound <= device.byteCount, "\(extent)",
                sourceLocation: sourceLocation)
            let part = Array(contents[Int(position)..<Int(extent.range.upperBound)])
            switch extent.kind {
            case .zero:
                #expect(
                    isSame(part, [UInt8](repeating: 0, count: part.count)), "\(extent)",
                    sourceLocation: sourceLocation)
            case .plain(let file, let offset):
                let files = device.hostFiles
                try #require(files.indices.contains(file), "\(extent)", sourceLocation: sourceLocation)
                let bytes = try files[file].bytes(at: offset, count: part.count)
                #expect(isSame(bytes, part), "\(extent)", sourceLocation: sourceLocation)
            case .compressed(let unit):
                #expect(
                    device.hostFiles.indices.contains(unit.file), "\(extent)", sourceLocation: sourceLocation)
                #expect(unit.unitRange.contains(position), "\(extent)", sourceLocation: sourceLocation)
            case .memory, .computed: break
            case .absent:
                Issue.record(
                    "an absent extent is the business of maps: \(extent)", sourceLocation: sourceLocation)
            }
            position = extent.range.upperBound
        }
    }

    private static func bounds(of device: any BlockDevice, _ sourceLocation: SourceLocation) throws {
        let end = device.byteCount
        for (offset, count) in [(end, 1), (end - 1, 2), (.max, 1), (.max - 1, 5), (0, Int(end) + 1)]
            as [(UInt64, Int)]
        {
            let error = #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
                try device.bytes(at: offset, count: count)
            }
            #expect(error?.kind == .misuse, "\(count) bytes at \(offset)", sourceLocation: sourceLocation)
        }
        #expect(throws: StorageError.self, sourceLocation: sourceLocation) { try device.nextExtent(at: end) }
        #expect(try device.bytes(at: end, count: 0) == [], sourceLocation: sourceLocation)
    }

    /// Writes here and there, of any length, and zeros; `contents` follows, and the device shows it before and after
    /// each barrier.
    package static func writes(
        _ device: any WritableBlockDevice, _ contents: inout [UInt8], count: Int = 20, seed: UInt64 = 2,
        flushing: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var random = SeededRandom(seed)
        for number in 0..<count {
            let length = Int.random(in: 1...min(contents.count, 200_000), using: &random)
            let offset = Int.random(in: 0...contents.count - length, using: &random)
            if number % 7 == 6 {
                try device.writeZeroes(at: UInt64(offset), count: UInt64(length))
                contents.replaceSubrange(
                    offset..<offset + length, with: [UInt8](repeating: 0, count: length))
            } else {
                let bytes = random.block(length)
                try device.write(bytes, at: UInt64(offset))
                contents.replaceSubrange(offset..<offset + length, with: bytes)
            }
            let shown = try device.bytes(at: UInt64(offset), count: length)
            #expect(
                isSame(shown, Array(contents[offset..<offset + length])), "\(length) bytes at \(offset)",
                sourceLocation: sourceLocation)
            if flushing { try device.flush() }
        }
        try device.flush()
        let end = device.byteCount
        for offset in [end, end - 1, UInt64.max - 1] {
            let error = #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
                try device.write([1, 2], at: offset)
            }
            #expect(error?.kind == .misuse, sourceLocation: sourceLocation)
        }
        #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
            try device.writeZeroes(at: end - 1, count: 2)
        }
    }
}
