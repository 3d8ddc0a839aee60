import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

private let judgePython = ProcessInfo.processInfo.environment["DISKGRAFT_JUDGE_PYTHON"]

/// Other projects' readers on disks made and written here. Run by Tests/Scripts/hyperv-matrix.sh, which installs
/// them.
@Suite(.enabled(if: judgePython != nil, "Tests/Scripts/hyperv-matrix.sh runs this"))
struct HyperVJudgeTests {
    private let siblings = ReferencePolicy(allowsSiblings: true)

    enum Kind: String, CaseIterable {
        case dynamic, fixed, large, sectors4096, differencing, chain
    }

    private func judge(_ reader: String, _ chain: [String], _ flat: String, _ directory: TemporaryDirectory)
        throws
    {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Scripts/read-hyperv-disk.py").path
        let out = directory.path("out-\(reader)")
        try Tool.run(judgePython ?? "", [script, reader, out] + chain)
        try Tool.run("cmp", [flat, out])
    }

    /// Writes here and there into `disk` and `flat` alike, at multiples of `unit`.
    private func write(_ disk: Image, _ flat: HostFile, seed: UInt64, unit: UInt64) throws {
        var random = SeededRandom(seed)
        for _ in 0..<20 {
            let count = UInt64.random(in: 1...150_000, using: &random).roundedUp(to: unit) ?? unit
            let bytes = random.block(Int(count))
            let offset = UInt64.random(in: 0...disk.byteCount - count, using: &random) / unit * unit
            try disk.write(bytes, at: offset)
            try flat.write(bytes, at: offset)
        }
        try disk.flush()
    }

    @Test(arguments: [ImageFormat.vhd, .vhdx], Kind.allCases)
    func othersReadTheSame(format: ImageFormat, kind: Kind) throws {
        let driver: any ImageDriver.Type = format == .vhd ? VHDDriver.self : VHDXDriver.self
        let suffix = format.rawValue
        if format == .vhd, kind == .sectors4096 { return }
        let directory = try TemporaryDirectory()
        let flatPath = try scatteredDisk(directory, "flat", byteCount: 30 << 20, seed: 51)
        let flat = try HostFile.open(flatPath, access: .write, locking: .ignore)
        var options = ImageCreateOptions()
        switch kind {
        case .fixed: options.values = [("subformat", "fixed")]
        case .large: options.values = [("block_size", "16M")]
        case .sectors4096: options.sectorSize = 4096
        case .dynamic, .differencing, .chain: break
        }
        // libvhdi takes eight sectors of a VHD's child for present when the first of them is and the rest are not.
        let unit: UInt64 = format == .vhd && (kind == .differencing || kind == .chain) ? 4096 : 1
        var chain = [directory.path("disk.\(suffix)")]
        try copyIn(flatPath, try driver.create(chain[0], byteCount: 30 << 20, options: options).disk)
        for number in 0..<(kind == .chain ? 2 : kind == .differencing ? 1 : 0) {
            let child = directory.path("child\(number).\(suffix)")
            try driver.create(child, byteCount: 0, options: ImageCreateOptions(parent: chain[0])).disk.flush()
            chain.insert(child, at: 0)
            try write(try open(child, .write, siblings).disk, flat, seed: UInt64(60 + number), unit: unit)
        }
        try write(try open(chain[0], .write, siblings).disk, flat, seed: 52, unit: unit)
        try judge("libvhdi", chain, flatPath, directory)
        // dissect reads a VHD's child as if it had no parent, and loses bytes in a VHDX over two.
        if chain.count == 1 || format == .vhdx && chain.count == 2 {
            try judge("dissect", chain, flatPath, directory)
        }
    }
}
