import Ext4
import Storage
import TestSupport
import Testing

@Suite struct JournalSuperblockTests {
    /// A journal superblock of 1024 blocks of 1 KiB, changed by `edit`; `seal` makes its checksum right.
    private func journal(
        seal: Bool = false, fileBlockCount: UInt32 = 1024, blockSize: Int = 1024,
        _ edit: (inout [UInt8]) -> Void = { _ in }
    ) throws -> JournalSuperblock {
        var block = [UInt8](repeating: 0, count: 1024)
        block.storeBig(0xc03b_3998 as UInt32, at: 0)
        block.storeBig(4 as UInt32, at: 4)
        block.storeBig(1024 as UInt32, at: 0xc)
        block.storeBig(1024 as UInt32, at: 0x10)
        block.storeBig(1 as UInt32, at: 0x14)
        block.storeBig(1 as UInt32, at: 0x18)
        block.storeBig(1 as UInt32, at: 0x40)
        edit(&block)
        if seal {
            block.storeBig(0 as UInt32, at: 0xfc)
            block.storeBig(CRC32C.update(~0, block.span8), at: 0xfc)
        }
        return try JournalSuperblock(block, blockSize: blockSize, fileBlockCount: fileBlockCount)
    }

    private func expect(
        _ code: String, _ kind: StorageError.Kind = .corrupt, _ field: String? = nil, seal: Bool = false,
        fileBlockCount: UInt32 = 1024, blockSize: Int = 1024, _ edit: @escaping (inout [UInt8]) -> Void
    ) {
        let error = #expect(throws: StorageError.self) {
            try journal(seal: seal, fileBlockCount: fileBlockCount, blockSize: blockSize, edit)
        }
        #expect(error?.code == code)
        #expect(error?.kind == kind)
        if let field { #expect(error?.field == field) }
    }

    @Test func readsEveryField() throws {
        let superblock = try journal(seal: true) {
            $0.storeBig(0x13 as UInt32, at: 0x28)
            $0[0x50] = 4
            $0.storeBig(7 as UInt32, at: 0x18)
            $0.storeBig(9 as UInt32, at: 0x1c)
            $0.storeBig(-5 as Int32, at: 0x20)
        }
        #expect(superblock.sequence == 7 && superblock.start == 9 && !superblock.isEmpty)
        #expect(superblock.errorNumber == -5)
        #expect(
            superblock.firstLogBlock == 1 && superblock.logEnd == 1024 && superblock.logBlockCount == 1023)
        #expect(
            superblock.features.names == [
                "journal_incompat_revoke", "journal_64bit", "journal_checksum_v3",
            ])
    }

    @Test func aFastCommitAreaEndsTheLog() throws {
        let superblock = try journal(fileBlockCount: 2048) {
            $0.storeBig(0x20 as UInt32, at: 0x28)
            $0.storeBig(2048 as UInt32, at: 0x10)
        }
        #expect(superblock.logEnd == 2048 - 256)
        expect("journal-bad-fast-commit-area", .corrupt, "s_num_fc_blks") {
            $0.storeBig(0x20 as UInt32, at: 0x28)
        }
        expect("journal-bad-fast-commit-area", .corrupt, "s_num_fc_blks") {
            $0.storeBig(0x20 as UInt32, at: 0x28)
            $0.storeBig(UInt32.max, at: 0x54)
        }
    }

    @Test func version1DeclaresNothing() throws {
        let superblock = try journal {
            $0.storeBig(3 as UInt32, at: 4)
            $0.storeBig(0xffff_ffff as UInt32, at: 0x28)
        }
        #expect(superblock.features == .none)
    }

    @Test func refusals() {
        expect("journal-bad-magic") { $0[0] = 0 }
        expect("journal-bad-superblock-type") { $0[7] = 2 }
        expect("journal-bad-superblock-type", .unsupported) { $0[7] = 9 }
        expect("journal-unknown-features", .unsupported, "s_feature_incompat") { $0[0x28] = 0x80 }
        expect("journal-unknown-features", .unsupported, "s_feature_ro_compat") { $0[0x2f] = 1 }
        expect("journal-contradicting-features") { $0[0x2b] = 0x18 }
        expect("journal-contradicting-features") {
            $0[0x2b] = 0x10
            $0[0x27] = 1
        }
        expect("journal-shared", .unsupported, "s_nr_users") { $0[0x43] = 2 }
        expect("journal-unknown-checksum-type", .unsupported) { $0[0x2b] = 0x10 }
        expect("journal-superblock-checksum", .corrupt, "s_checksum") {
            $0[0x2b] = 0x10
            $0[0x50] = 4
        }
        expect("journal-block-size-mismatch", blockSize: 4096) { _ in }
        expect("journal-length-beyond-file", fileBlockCount: 1023) { _ in }
        expect("journal-bad-first-block") { $0.storeBig(0 as UInt32, at: 0x14) }
        expect("journal-bad-first-block") { $0.storeBig(1024 as UInt32, at: 0x14) }
        expect("journal-bad-start") { $0.storeBig(1024 as UInt32, at: 0x1c) }
        expect("journal-bad-start") {
            $0.storeBig(3 as UInt32, at: 0x14)
            $0.storeBig(2 as UInt32, at: 0x1c)
        }
    }

    @Test func whereAJournalCannotLie() throws {
        let device = MemoryDevice(byteCount: 1 << 20)
        func expect(_ runs: [JournalRun], _ code: String = "journal-runs-invalid") {
            let error = #expect(throws: StorageError.self) {
                try JournalFile(device: device, blockSize: 1024, fileSystemBlockCount: 1024, runs: runs)
            }
            #expect(error?.code == code)
        }
        expect([JournalRun(first: 1, deviceBlock: 5, count: 1)])
        expect([JournalRun(first: 0, deviceBlock: 5, count: 0)])
        expect([
            JournalRun(first: 0, deviceBlock: 5, count: 2), JournalRun(first: 3, deviceBlock: 9, count: 1),
        ])
        expect([JournalRun(first: 0, deviceBlock: 1023, count: 2)])
        expect([JournalRun(first: 0, deviceBlock: .max, count: 2)])
        expect([
            JournalRun(first: 0, deviceBlock: 5, count: 3), JournalRun(first: 3, deviceBlock: 7, count: 1),
        ])
        let long = #expect(throws: StorageError.self) {
            try JournalFile(
                device: device, blockSize: 1024, fileSystemBlockCount: 1 << 30,
                runs: [JournalRun(first: 0, deviceBlock: 5, count: JournalFile.maximumBlockCount + 1)])
        }
        #expect(long?.code == "journal-too-long" && long?.kind == .unsupported)
        let cut = try JournalFile(
            device: device, blockSize: 1024, fileSystemBlockCount: 2048,
            runs: [JournalRun(first: 0, deviceBlock: 1023, count: 2)])
        #expect(try cut.block(0).count == 1024)
        let truncated = #expect(throws: StorageError.self) { try cut.block(1) }
        #expect(truncated?.code == "journal-device-truncated")
        let file = try JournalFile(
            device: device, blockSize: 1024, fileSystemBlockCount: 1024,
            runs: [
                JournalRun(first: 0, deviceBlock: 500, count: 3),
                JournalRun(first: 3, deviceBlock: 7, count: 9),
            ])
        #expect(file.blockCount == 12)
        #expect(try file.deviceBlock(2) == 502 && file.deviceBlock(3) == 7 && file.deviceBlock(11) == 15)
        #expect(throws: StorageError.self) { try file.deviceBlock(12) }
        #expect(file.contains(deviceBlock: 15) && file.contains(deviceBlock: 500))
        #expect(!file.contains(deviceBlock: 16) && !file.contains(deviceBlock: 499))
        #expect(throws: StorageError.self) {
            try Journal(
                JournalFile(device: device, blockSize: 1024, fileSystemBlockCount: 1024, runs: []))
        }
    }
}
