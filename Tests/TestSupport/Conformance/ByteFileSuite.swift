package import Storage
package import Testing

/// What every `ByteFile` owes whoever reads and writes it.
package enum ByteFileSuite {
    /// The file shows exactly `contents`, however it is read, and what it says of holes is true.
    package static func reads(
        _ file: any ByteFile, _ contents: [UInt8], seed: UInt64 = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try #require(file.byteCount == UInt64(contents.count), sourceLocation: sourceLocation)
        #expect(file.sectorSize == 512 || file.sectorSize == 4096, sourceLocation: sourceLocation)
        #expect(!file.path.isEmpty && file.isSame(as: file), sourceLocation: sourceLocation)
        #expect(
            isSame(try file.bytes(at: 0, count: contents.count), contents), sourceLocation: sourceLocation)
        var pieces: [UInt8] = []
        try file.forEachPiece(of: 0..<file.byteCount) { offset, bytes in
            #expect(offset == UInt64(pieces.count), sourceLocation: sourceLocation)
            pieces += bytes.array(0..<bytes.byteCount)
        }
        #expect(isSame(pieces, contents), sourceLocation: sourceLocation)
        var random = SeededRandom(seed)
        for _ in 0..<40 where !contents.isEmpty {
            let offset = Int.random(in: 0..<contents.count, using: &random)
            let count = Int.random(in: 0...contents.count - offset, using: &random)
            let bytes = try file.bytes(at: UInt64(offset), count: count)
            #expect(
                isSame(bytes, Array(contents[offset..<offset + count])), "\(count) at \(offset)",
                sourceLocation: sourceLocation)
        }
        try holes(of: file, contents, sourceLocation)
        let end = file.byteCount
        for (offset, count) in [(end, 1), (end / 2, contents.count + 1), (.max, 1), (.max - 1, 5)]
            as [(UInt64, Int)]
        {
            let error = #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
                try file.bytes(at: offset, count: count)
            }
            #expect(
                error?.isCode(ByteFileCode.shortFile) == true && error?.path == file.path, "\(offset)",
                sourceLocation: sourceLocation)
        }
        for offset in [end, end + 1000, UInt64.max] {
            #expect(try file.bytes(at: offset, count: 0) == [], sourceLocation: sourceLocation)
        }
        #expect(try file.availableBytes(at: end, count: 9) == [], sourceLocation: sourceLocation)
        #expect(try file.availableBytes(at: .max, count: 9) == [], sourceLocation: sourceLocation)
        #expect(
            try file.availableBytes(at: end - min(end, 3), count: 9).count == min(contents.count, 3),
            sourceLocation: sourceLocation)
    }

    /// Runs follow each other to the end, and a hole reads as zeros.
    private static func holes(
        of file: any ByteFile, _ contents: [UInt8], _ sourceLocation: SourceLocation
    ) throws {
        var position: UInt64 = 0
        while position < file.byteCount {
            let run = try file.nextDataOrHole(at: position)
            try #require(run.end > position && run.end <= file.byteCount, sourceLocation: sourceLocation)
            if !run.isData {
                let part = Array(contents[Int(position)..<Int(run.end)])
                #expect(part.allSatisfy { $0 == 0 }, "\(position)", sourceLocation: sourceLocation)
            }
            position = run.end
        }
    }

    /// Writes here and there, zeros, truncations where the length is not fixed, and barriers; `contents` follows, and the
    /// file shows it all the time.
    package static func writes(
        _ file: any ByteFile, _ contents: inout [UInt8], seed: UInt64 = 2,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try #require(file.access == .write, sourceLocation: sourceLocation)
        var random = SeededRandom(seed)
        for number in 0..<40 {
            let count = Int.random(in: 1...20_000, using: &random)
            // Past the end too, with a gap.
            let room = contents.count + (file.hasFixedLength ? -count : number % 5 == 0 ? 9000 : 0)
            guard room >= 0 else { continue }
            let offset = Int.random(in: 0...room, using: &random)
            let end = offset + count
            if number % 9 == 7, !file.hasFixedLength {
                let length = Int.random(in: 0...contents.count + 5000, using: &random)
                try file.truncate(to: UInt64(length))
                contents = Array(contents.prefix(length))
                contents += [UInt8](repeating: 0, count: length - contents.count)
                continue
            }
            let bytes = number % 4 == 3 ? [UInt8](repeating: 0, count: count) : random.block(count)
            if number % 4 == 3 {
                try file.writeZeroes(at: UInt64(offset), count: UInt64(count))
            } else {
                try file.write(bytes, at: UInt64(offset))
            }
            contents += [UInt8](repeating: 0, count: max(end - contents.count, 0))
            contents.replaceSubrange(offset..<end, with: bytes)
            try #require(
                isSame(try file.bytes(at: UInt64(offset), count: count), bytes), "\(number)",
                sourceLocation: sourceLocation)
            if number % 6 == 5 { try file.flush() }
        }
        try file.write([], at: 0)
        file.startWriteback()
        try file.awaitWriteback()
        try file.flush()
        file.refreshLength()
        try reads(file, contents, seed: seed, sourceLocation: sourceLocation)
        try limits(of: file, sourceLocation)
        try reads(file, contents, seed: seed, sourceLocation: sourceLocation)
    }

    /// What no file can do, and one of fixed length cannot: refused, and nothing changed.
    private static func limits(of file: any ByteFile, _ sourceLocation: SourceLocation) throws {
        for offset in [UInt64(Int64.max), UInt64.max - 1] {
            let error = #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
                try file.write([1, 2], at: offset)
            }
            #expect(error?.isCode(ByteFileCode.outOfRange) == true, sourceLocation: sourceLocation)
        }
        guard file.hasFixedLength else { return }
        let length = file.byteCount
        let written = #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
            try file.write([1, 2], at: length - 1)
        }
        let zeroed = #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
            try file.writeZeroes(at: length - 1, count: 2)
        }
        let longer = #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
            try file.truncate(to: length + 1)
        }
        for error in [written, zeroed, longer] {
            #expect(error?.isCode(ByteFileCode.fixedLength) == true, sourceLocation: sourceLocation)
        }
        try file.truncate(to: length)
    }

    /// A file that was opened for reading refuses every change.
    package static func refusesChanges(
        _ file: any ByteFile, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try #require(file.access == .read, sourceLocation: sourceLocation)
        let before = try file.bytes(at: 0, count: Int(file.byteCount))
        let changes: [() throws -> Void] = [
            { try file.write([1], at: 0) }, { try file.truncate(to: 0) },
            { try file.writeZeroes(at: 0, count: 1) },
        ]
        for change in changes {
            let error = #expect(throws: StorageError.self, sourceLocation: sourceLocation) { try change() }
            #expect(error?.isCode(ByteFileCode.readOnly) == true, sourceLocation: sourceLocation)
        }
        #expect(
            isSame(try file.bytes(at: 0, count: Int(file.byteCount)), before),
            sourceLocation: sourceLocation)
    }
}
