import Appliances
import HostIO
import ImageFormats
import Machines
import Storage
import TestSupport
import Testing

@Suite(.enabled(if: SharedSamples.present, Comment(rawValue: SharedSamples.skipMessage)))
struct ApplianceSampleTests {
    static func open(_ path: String, verifies: Bool = true) throws -> Appliance {
        let file = try HostFile.open(path)
        let kind = try #require(try Appliance.kind(of: file))
        return try Appliance.open(file, kind, verifies: verifies)
    }

    /// The digests of the guest's disks.
    static func digests(_ appliance: Appliance) throws -> [String] {
        var digests: [String] = []
        for index in appliance.disks.indices {
            let format: ImageFormat = appliance.machine.disks[index].format == "raw" ? .raw : .vmdk
            let image = try ImageProbe.open(
                appliance.disks[index].file, format: format, options: ImageOpenOptions(files: NoOtherFiles()))
            let digest = try Digest(.sha256)
            var position: UInt64 = 0
            while position < image.disk.byteCount {
                let count = min(image.disk.byteCount - position, 1 << 20)
                let bytes = try image.disk.bytes(at: position, count: Int(count))
                digest.update(bytes.span8)
                position += count
            }
            digests.append(digest.finish())
        }
        return digests
    }

    @Test func twoDisksOfVMware() throws {
        let appliance = try Self.open(try SharedSamples.path("ova/two-disks-vmware.ova"))
        #expect(appliance.machine.firmware == .uefi && appliance.machine.hasSecureBoot == false)
        #expect(appliance.machine.disks.allSatisfy { $0.controller == DiskController(.pvscsi) })
        #expect(appliance.notes.isEmpty)
        #expect(
            try Self.digests(appliance) == [
                "034dcc69bfec79220e01e2fef2e870d3799caf914ef774f21ba62aa491834b21",
                "cba63430b6798bad49191488d42dc2a6ee01f73f31919ed3466d31d580a8f718",
            ])
    }

    @Test func aCompressedDisk() throws {
        let appliance = try Self.open(try SharedSamples.path("ova/gzip-disk-sha1.ova"))
        #expect(appliance.machine.firmware == .bios)
        #expect(appliance.machine.disks.first?.controller == DiskController(.lsisas))
        #expect(
            try Self.digests(appliance) == [
                "9319c1c611ced72f4bbe6efbbb812baf6a9544bac67041aca5e8bf4ccf38ecb9"
            ])
    }

    @Test func aWrongDigest() throws {
        let path = try SharedSamples.path("ova/bad-manifest.ova")
        let error = try #require(throws: StorageError.self) { try Self.open(path) }
        #expect(error.isCode(ApplianceCode.wrongDigest))
        #expect(
            try Self.digests(try Self.open(path, verifies: false)) == [
                "9319c1c611ced72f4bbe6efbbb812baf6a9544bac67041aca5e8bf4ccf38ecb9"
            ])
    }

    @Test(arguments: [
        (
            "two-disks-sha1",
            [
                "368d83cf41e5a5cd4a06a761995049e398d2285580cba078254861e5cbf89456",
                "0e21694b0e7e04f961ca3f8f73cdee5c292e95ac6ab7dd7ce0297b98cc6dc10c",
            ]
        ),
        (
            "two-disks-xxhash",
            [
                "368d83cf41e5a5cd4a06a761995049e398d2285580cba078254861e5cbf89456",
                "0e21694b0e7e04f961ca3f8f73cdee5c292e95ac6ab7dd7ce0297b98cc6dc10c",
            ]
        ), ("keepalive-xxhash", ["0e21694b0e7e04f961ca3f8f73cdee5c292e95ac6ab7dd7ce0297b98cc6dc10c"]),
    ])
    func exportsOfXenServer(_ name: String, _ hashes: [String]) throws {
        let directory = try TemporaryDirectory()
        let path = try SharedSamples.unpack("xva/\(name).xva.xz", into: directory)
        let appliance = try Self.open(path)
        #expect(appliance.notes.isEmpty)
        #expect(try Self.digests(appliance) == hashes)
        if name == "two-disks-xxhash" { #expect(appliance.machine.firmware == .uefi) }
        // A flipped byte of a piece is found where it is read.
        var bytes = try fileBytes(path)
        bytes[bytes.count / 2] ^= 1
        let damaged = try Self.open(try directory.write("damaged.xva", bytes))
        let error = try #require(throws: StorageError.self) { try Self.digests(damaged) }
        #expect(error.isCode(ApplianceCode.wrongDigest), "\(error)")
    }
}
