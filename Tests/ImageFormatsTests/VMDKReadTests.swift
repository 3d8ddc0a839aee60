import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

struct VMDKReadTests {
    private static let subformats = [
        "monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "streamOptimized",
    ]

    @Test(arguments: subformats)
    func readsWhatQemuWrites(subformat: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: 36 << 20, seed: 7)
        let path = try VMDKFixtures.convert(raw.path, in: directory, subformat: subformat)
        let image = try VMDKFixtures.open(path)
        #expect(image.info.format == .vmdk)
        #expect(image.info.variant == subformat)
        #expect(image.info.virtualSize == 36 << 20)
        #expect(image.info.warnings == [])
        let contents = try VMDKFixtures.contents(image.disk)
        #expect(isSame(contents, raw.bytes))
    }

    @Test(arguments: ["monolithicSparse", "streamOptimized"])
    func readsADiskThatEndsInsideAGrain(subformat: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: (1 << 20) + 512, seed: 3, runs: 40)
        let path = try VMDKFixtures.convert(raw.path, in: directory, subformat: subformat)
        let image = try VMDKFixtures.open(path)
        let contents = try VMDKFixtures.contents(image.disk, step: 5000)
        #expect(isSame(contents, raw.bytes))
    }

    @Test func extentsCoverTheDiskAndMergeGrains() throws {
        let directory = try TemporaryDirectory()
        var bytes = [UInt8](repeating: 0, count: 100 << 20)
        bytes.replaceSubrange(0..<4 << 20, with: [UInt8](repeating: 5, count: 4 << 20))
        let path = try VMDKFixtures.convert(
            try directory.write("x.raw", bytes), in: directory, subformat: "monolithicSparse")
        let disk = try VMDKFixtures.open(path).disk
        let first = try disk.nextExtent(at: 1000)
        #expect(first.range == 1000..<4 << 20)
        if case .plain(0, let offset) = first.kind {
            #expect(try disk.map.hostFiles[0].bytes(at: offset, count: 1) == [5])
        } else {
            Issue.record("not plain")
        }
        var position: UInt64 = 4 << 20
        var count = 0
        while position < disk.byteCount {
            let extent = try disk.nextExtent(at: position)
            #expect(extent.range.lowerBound == position && extent.kind == .zero)
            position = extent.range.upperBound
            count += 1
        }
        #expect(position == disk.byteCount && count <= 4)
    }

    @Test func readsZeroedGrains() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("z.vmdk")
        try Tool.run("qemu-img", ["create", "-f", "vmdk", "-o", "zeroed_grain=on", path, "8M"])
        try Tool.run(
            "qemu-io", ["-f", "vmdk", "-c", "write -P 3 0 1M", "-c", "write -z 128k 256k", path])
        let disk = try VMDKFixtures.open(path).disk
        #expect(try disk.map.extent(at: 128 << 10) == Extent(range: 128 << 10..<384 << 10, kind: .zero))
        #expect(try disk.bytes(at: (128 << 10) - 1, count: 2) == [3, 0])
        #expect(try disk.bytes(at: (384 << 10) - 1, count: 2) == [0, 3])
    }

    @Test func anExtentByItselfIsReadOnlyToBeRescued() throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: 4 << 20, seed: 1)
        _ = try VMDKFixtures.convert(raw.path, in: directory, subformat: "twoGbMaxExtentSparse")
        let path = directory.path("disk-s001.vmdk")
        #expect(VMDKFixtures.openCode(path) == "bare-extent")
        #expect(VMDKFixtures.openCode(path, access: .write) == "bare-extent")
        let image = try ImageProbe.open(path, options: ImageOpenOptions(isSalvage: true))
        #expect(image.info.warnings.count == 1)
        let contents = try VMDKFixtures.contents(image.disk)
        #expect(isSame(contents, raw.bytes))
    }

    @Test func describesWithoutOpeningExtents() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            "d.vmdk",
            """
            # Disk DescriptorFile\r
            VERSION=1 \r
            cid = 0123abcd\r
            parentCID=fedcba98
            parentFileNameHint="/vmfs/volumes/x/base.vmdk"
            createType="vmfsSparse"
            RW 4096 VMFSSPARSE "nothing-delta.vmdk"
            ddb.adapterType = "lsilogic"
            """)
        let info = try VMDKDriver.describe(try HostFile.open(path))
        #expect(info.variant == "vmfsSparse" && info.virtualSize == 4096 * 512)
        #expect(info.references.map(\.name) == ["nothing-delta.vmdk", "/vmfs/volumes/x/base.vmdk"])
        #expect(info.details.contains(ImageInfo.Detail("CID", "0123abcd")))
        #expect(VMDKFixtures.openCode(path) == "open")
    }

    // MARK: Real disks

    private static let ntfs = "a3bcf05f07a1c06a3380eeca8571f0efb2b85afafa1e21662b8cad436d1f7727"

    @Test(
        .enabled(if: SharedSamples.present, "the shared samples are not beside the repository"),
        arguments: [
            (["monolithicSparse.vmdk"], "monolithicSparse", ntfs),
            (["streamOptimized.vmdk"], "streamOptimized", ntfs),
            (["twoGbMaxExtentSparse.vmdk", "twoGbMaxExtentSparse-s001.vmdk"], "twoGbMaxExtentSparse", ntfs),
            (
                ["vmfs_thick.vmdk", "vmfs_thick-flat.vmdk"], "vmfs",
                "8d43c795d24bce01b49f92744f934c1072210dcac170bb1c83a5aa56df46ab7d"
            ),
        ])
    func realDisks(files: [String], variant: String, hash: String) throws {
        let directory = try TemporaryDirectory()
        for file in files { _ = try SharedSamples.unpack("formats/vmdk-rs/\(file)", into: directory) }
        let image = try VMDKFixtures.open(directory.path(files[0]))
        #expect(image.info.variant == variant)
        #expect(image.info.warnings == [])
        #expect(try VMDKFixtures.sha256(try VMDKFixtures.contents(image.disk)) == hash)
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func realStreamWithFooter() throws {
        let directory = try TemporaryDirectory()
        let path = try SharedSamples.unpack("formats/qemu-iotests/iotest-version3.vmdk.bz2", into: directory)
        #expect(VMDKFixtures.openCode(path, access: .write) == "stream-optimized")
        let image = try VMDKFixtures.open(path)
        #expect(image.info.virtualSize == 16 << 30)
        // Taken out of a tar archive with its padding, and with something else behind.
        for padding in [512, 10240, 20000] {
            let padded = try directory.write(
                "padded.vmdk", try fileBytes(path) + [UInt8](repeating: 0, count: padding))
            _ = try VMDKFixtures.open(padded)
        }
        // What is not zero, against qemu's reading.
        let raw = directory.path("r")
        try Tool.run("qemu-img", ["convert", "-f", "vmdk", "-O", "raw", path, raw])
        let ours = try directory.sparse("ours", byteCount: image.disk.byteCount)
        do {
            let target = try HostFile.open(ours, access: .write)
            var position: UInt64 = 0
            while position < image.disk.byteCount {
                let extent = try image.disk.nextExtent(at: position)
                if extent.kind != .zero {
                    let data = try image.disk.bytes(at: position, count: extent.range.count)
                    try target.write(data, at: position)
                }
                position = extent.range.upperBound
            }
        }
        try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", "raw", raw, ours])
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func realDescriptorsWhoseExtentsAreMissingOrForeign() throws {
        let directory = try TemporaryDirectory()
        for (name, code) in [
            ("monolithicFlat", "open"), ("twoGbMaxExtentFlat", "open"), ("vmfs_thick-000001", "open"),
        ] {
            let path = try SharedSamples.unpack("formats/vmdk-rs/\(name).vmdk", into: directory)
            #expect(VMDKFixtures.openCode(path) == code)
        }
    }

    /// ESX's own snapshot descriptor over its own base, with an extent of ours.
    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func aRealSnapshotDescriptor() throws {
        let directory = try TemporaryDirectory()
        for file in ["vmfs_thick.vmdk", "vmfs_thick-flat.vmdk", "vmfs_thick-000001.vmdk"] {
            _ = try SharedSamples.unpack("formats/vmdk-rs/\(file)", into: directory)
        }
        var contents = try fileBytes(directory.path("vmfs_thick-flat.vmdk"))
        contents.replaceSubrange(1_000_000..<1_100_000, with: [UInt8](repeating: 0x77, count: 100_000))
        try directory.write(
            "vmfs_thick-000001-delta.vmdk",
            VMDKFixtures.vmfsSparse(contents) { (1953...2150).contains($0) })
        let image = try VMDKFixtures.open(
            directory.path("vmfs_thick-000001.vmdk"), references: VMDKFixtures.siblings)
        #expect(image.disk.parents.count == 1)
        #expect(isSame(try VMDKFixtures.contents(image.disk), contents))
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func hostileSamples() throws {
        let directory = try TemporaryDirectory()
        let afl = try SharedSamples.unpack("formats/qemu-iotests/afl9.vmdk.bz2", into: directory)
        let memory = try SharedSamples.unpack("formats/cdi/invalid-qcow-large-memory.img", into: directory)
        for path in [afl, memory] {
            let error = #expect(throws: StorageError.self) { try VMDKFixtures.open(path) }
            #expect(error?.layer == "vmdk")
        }
    }
}
