import Ext4
import Storage
import TestSupport
import Testing

/// Logs written by hand, read by the scan, and judged by e2fsck's replay of the same image, byte for byte.
@Suite struct JournalScanTests {
    static let formats: [LogBuilder.Options] = LogBuilder.Checksums.allCases.flatMap { checksums in
        [false, true].map { LogBuilder.Options(checksums: checksums, wide: $0) }
    }

    private func expectAgreement(_ builder: LogBuilder) throws -> JournalReplay {
        let (bytes, replay) = try JournalImages.replayed(builder.image)
        let judged = try JournalImages.replayedByE2fsck(builder.image)
        #expect(try JournalImages.differences(bytes, judged) == [])
        return replay
    }

    @Test(arguments: formats)
    func transactionsEscapesRevokesAndWrap(_ options: LogBuilder.Options) throws {
        let image = try JournalImages.ext3()
        let builder = try LogBuilder(image, options: options, start: 1012, sequence: 0xffff_fffe)
        builder.append(
            .blocks([
                builder.copy(5000, 1), builder.copy(5001, 2, escaped: true), builder.copy(5002, 3),
            ]),
            .blocks([builder.copy(5003, 4)]), .commit(seconds: 100))
        // Revokes reach back over transactions, and to the block's own; later copies count.
        builder.append(
            .revoke([5000, 5002]), .blocks([builder.copy(5004, 5), builder.copy(5002, 6)]),
            .commit(seconds: 101))
        builder.append(
            .blocks([builder.copy(5000, 7), builder.copy(5003, 8, escaped: true)]), .commit(seconds: 102))
        // The commit block never came.
        builder.append(.blocks([builder.copy(5001, 9)]), .revoke([5004]))

        let replay = try expectAgreement(builder)
        #expect(replay.copies.map(\.block) == [5000, 5001, 5003, 5004])
        #expect(replay.copies.map(\.isEscaped) == [false, true, true, false])
        #expect(replay.transactionCount == 3)
        #expect(replay.nextSequence == 1)
        #expect(replay.end == .uncommitted)
        #expect(replay.copy(of: 5000)?.sequence == 0)
        #expect(replay.copy(of: 5002) == nil)
    }

    @Test(arguments: formats)
    func manyTagsInSeveralDescriptors(_ options: LogBuilder.Options) throws {
        let image = try JournalImages.ext3()
        let builder = try LogBuilder(image, options: options, start: 700, sequence: 7)
        var random = SeededRandom(3)
        for transaction in 0..<6 {
            for _ in 0..<3 {
                let copies = (0..<50).map { _ in
                    LogBuilder.Copy(
                        block: UInt64.random(in: 4000..<4100, using: &random), contents: random.bytes(1024))
                }
                builder.append(.blocks(copies))
            }
            builder.append(.revoke((0..<10).map { _ in UInt64.random(in: 4000..<4100, using: &random) }))
            builder.append(.commit(seconds: 50 + UInt64(transaction)))
        }
        let replay = try expectAgreement(builder)
        #expect(replay.transactionCount == 6)
        #expect(replay.end == .endOfLog)
    }

    @Test func anEmptyLogReplaysNothing() throws {
        let image = try JournalImages.ext3()
        let (bytes, replay) = try JournalImages.replayed(image)
        #expect(replay.isEmpty && replay.end == .empty)
        #expect(bytes == image)
    }

    // MARK: Damage or remains

    @Test(arguments: [LogBuilder.Checksums.v2, .v3])
    func wrongChecksumsWithOlderTimeAreRemains(_ checksums: LogBuilder.Checksums) throws {
        for part in 0..<4 {
            let builder = try LogBuilder(
                JournalImages.ext3(), options: .init(checksums: checksums), start: 1, sequence: 9)
            builder.append(.blocks([builder.copy(5000, 1)]), .commit(seconds: 100))
            let written = builder.append(
                .blocks([builder.copy(5001, 2)]), .revoke([5000]), .commit(seconds: 99))
            // Descriptor, data, revoke, commit; the data's own checksum is damage whatever the time.
            builder.damage(written[part], byte: part == 1 ? 0 : 500)
            if part == 1 {
                #expect(throws: StorageError.self) { try JournalImages.replayed(builder.image) }
                continue
            }
            let (_, replay) = try JournalImages.replayed(builder.image)
            // A commit block with a whole first sector counts, as the kernel has it.
            #expect(replay.end == (part == 3 ? .endOfLog : .stale))
            #expect(replay.copies.map(\.block) == (part == 3 ? [5001] : [5000]))
            if part == 0 { _ = try expectAgreement(builder) }
        }
    }

    @Test func wrongCommitHeaderWithOlderTimeIsRemains() throws {
        let builder = try LogBuilder(
            JournalImages.ext3(), options: .init(checksums: .v3), start: 1, sequence: 9)
        builder.append(.blocks([builder.copy(5000, 1)]), .commit(seconds: 100))
        let written = builder.append(.blocks([builder.copy(5001, 2)]), .commit(seconds: 99))
        builder.damage(written[2], byte: 0x38)
        #expect(try JournalImages.replayed(builder.image).replay.end == .stale)
    }

    @Test(arguments: [
        (0, "journal-descriptor-checksum"), (1, "journal-data-checksum"), (2, "journal-revoke-checksum"),
        (3, "journal-commit-checksum"),
    ])
    func wrongChecksumsAreDamage(_ part: Int, _ code: String) throws {
        for checksums in [LogBuilder.Checksums.v2, .v3] {
            let builder = try LogBuilder(
                JournalImages.ext3(), options: .init(checksums: checksums), start: 1, sequence: 9)
            builder.append(.blocks([builder.copy(5000, 1)]), .commit(seconds: 100))
            let written = builder.append(
                .blocks([builder.copy(5001, 2)]), .revoke([5000]), .commit(seconds: 101))
            builder.damage(written[part], byte: part == 3 ? 0x3a : 500)
            let error = #expect(throws: StorageError.self) { try JournalImages.replayed(builder.image) }
            #expect(error?.code == code && error?.kind == .corrupt)
            #expect(error?.offset == UInt64(builder.offset(written[part])))
            // Salvage stops before it.
            let (_, replay) = try JournalImages.replayed(builder.image, policy: .salvage)
            #expect(replay.copies.map(\.block) == [5000])
            #expect(replay.nextSequence == 10)
            if case .damaged(let reason) = replay.end {
                #expect(reason == error)
            } else {
                Issue.record("not reported as damage")
            }
        }
    }

    @Test func version1ChecksumTellsDamageFromAnUnfinishedAsynchronousCommit() throws {
        for (asynchronous, follows) in [(false, false), (true, false), (true, true)] {
            let builder = try LogBuilder(
                JournalImages.ext3(), options: .init(checksums: .v1, asynchronous: asynchronous), start: 1,
                sequence: 9)
            builder.append(.blocks([builder.copy(5000, 1)]), .commit(seconds: 100))
            let written = builder.append(.blocks([builder.copy(5001, 2)]), .commit(seconds: 101))
            if follows {
                builder.append(.blocks([builder.copy(5002, 3)]), .commit(seconds: 102))
            }
            builder.damage(written[1], byte: 5)
            if asynchronous && !follows {
                let replay = try expectAgreement(builder)
                #expect(replay.end == .uncommitted && replay.copies.map(\.block) == [5000])
            } else {
                let error = #expect(throws: StorageError.self) { try JournalImages.replayed(builder.image) }
                #expect(error?.code == "journal-commit-checksum")
            }
        }
    }

    @Test func version1WithoutStoredChecksumsCounts() throws {
        let builder = try LogBuilder(
            JournalImages.ext3(), options: .init(checksums: .none), start: 1, sequence: 9)
        builder.append(.blocks([builder.copy(5000, 1)]), .commit(seconds: 100))
        var image = builder.image
        image.storeBig(1 as UInt32, at: builder.offset(0) + 0x24)
        #expect(try JournalImages.replayed(image).replay.copies.map(\.block) == [5000])
    }

    @Test func anUnfinishedAsynchronousCommitWithVersion3IsATail() throws {
        let builder = try LogBuilder(
            JournalImages.ext3(), options: .init(checksums: .v3, asynchronous: true), start: 1, sequence: 9)
        builder.append(.blocks([builder.copy(5000, 1)]), .commit(seconds: 100))
        let written = builder.append(.blocks([builder.copy(5001, 2)]), .commit(seconds: 101))
        builder.damage(written[2], byte: 0x38)
        let replay = try expectAgreement(builder)
        #expect(replay.end == .uncommitted && replay.copies.map(\.block) == [5000])
    }

    // MARK: Hostile logs

    @Test func aTransactionThatLapsTheRingIsDamage() throws {
        let builder = try LogBuilder(JournalImages.ext3(), options: .init(), start: 1, sequence: 9)
        // Descriptors whose last tag is not marked, over and over, without a commit block: 42 tags with UUIDs.
        var block = [UInt8](repeating: 0, count: 1024)
        block.storeBig(0xc03b_3998 as UInt32, at: 0)
        block.storeBig(1 as UInt32, at: 4)
        block.storeBig(9 as UInt32, at: 8)
        var image = builder.image
        for index in UInt32(1)..<1024 {
            let at = builder.offset(index)
            image.replaceSubrange(at..<at + 1024, with: block)
        }
        let error = #expect(throws: StorageError.self) { try JournalImages.replayed(image) }
        #expect(error?.code == "journal-log-laps")
    }

    @Test func targetsOutsideTheFileSystemOrInsideTheJournalAreDamage() throws {
        for (target, code) in [
            (UInt64(8192), "journal-target-outside-file-system"), (0, "journal-target-in-journal"),
        ] {
            let builder = try LogBuilder(JournalImages.ext3(), options: .init(), start: 1, sequence: 9)
            let block = target == 0 ? builder.journalBlocks[7] : target
            builder.append(.blocks([builder.copy(block, 1)]), .commit(seconds: 100))
            let error = #expect(throws: StorageError.self) { try JournalImages.replayed(builder.image) }
            #expect(error?.code == code)
        }
    }

    @Test(arguments: [UInt32(15), 1025, 0xffff_ffff])
    func revokeCountsOutsideTheBlockAreDamage(_ count: UInt32) throws {
        let builder = try LogBuilder(JournalImages.ext3(), options: .init(), start: 1, sequence: 9)
        let written = builder.append(.revoke([5000]), .commit(seconds: 100))
        var image = builder.image
        image.storeBig(count, at: builder.offset(written[0]) + 12)
        let error = #expect(throws: StorageError.self) { try JournalImages.replayed(image) }
        #expect(error?.code == "journal-bad-revoke-count")
    }

    @Test func randomDamageNeverTraps() throws {
        let image = try JournalImages.ext3()
        var random = SeededRandom(11)
        let spots: [UInt32] = [0, 1000, 1021, 1022, 1023, 1]
        for round in 0..<150 {
            let options = Self.formats[round % Self.formats.count]
            let builder = try LogBuilder(image, options: options, start: 1000, sequence: 5)
            builder.append(
                .blocks(
                    (0..<20).map { LogBuilder.Copy(block: UInt64(5000 + $0), contents: random.bytes(1024)) }),
                .revoke([5001, 5002]),
                .commit(seconds: 10))
            builder.append(
                .blocks([LogBuilder.Copy(block: 5003, contents: random.bytes(1024))]), .commit(seconds: 11))
            var bytes = builder.image
            for _ in 0..<4 {
                let block = spots[Int.random(in: 0..<spots.count, using: &random)]
                let at = builder.offset(block) + Int.random(in: 0..<96, using: &random)
                bytes[at] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                _ = try JournalImages.replayed(bytes)
            } catch let error as StorageError {
                #expect(error.layer == "ext4")
            }
        }
    }
}
