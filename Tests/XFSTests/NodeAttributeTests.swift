import Storage
@_spi(Testing) import TestSupport
import Testing

@testable import XFS

/// Extended attributes of devices, FIFOs and sockets: the kernel takes such an inode only with its attributes in one place.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct NodeAttributeTests {
    private static let label = Array("security.selinux".utf8)

    private static let types: [FileType] = [.characterDevice, .blockDevice, .fifo, .socket]

    @Test(arguments: [Profile.rhel7, .rhel10, .smallBlocks, .rhel6])
    func attributesOfNodesAreWhereTheKernelLooks(_ profile: Profile) throws {
        let device = try XFSImage(profile, files: ["etc/fstab": [1]]).device()
        for round in 0..<3 {
            let volume = try XFSFileSystem.open(device)
            let transaction = try volume.begin()
            let etc = try #require(try volume.find("etc"))
            for (index, type) in Self.types.enumerated() {
                let name = Array("node\(index)".utf8)
                let id =
                    if let known = try volume.find("etc/node\(index)") { known } else {
                        try transaction.createNode(
                            name, in: etc, type: type,
                            device: index < 2 ? FileAttributes.DeviceNumber(major: 1, minor: 3) : nil,
                            attributes: NewFileAttributes(permissions: 0o600, owner: 0, group: 0))
                    }
                // Made, taken away, made again; the last one as long as the inode has room, or longer.
                try transaction.setExtendedAttribute(
                    Self.label, of: id,
                    to: round == 1 ? nil : TreeModel.contents(round == 0 ? 30 : 100 << index))
            }
            try transaction.prepare().commit()
            #expect(try XFSImage(device.contents).defects() == "", "round \(round)")
            var findings: [Finding] = []
            try XFSDriver.check(device) { findings.append($0) }
            #expect(findings == [])
        }
    }

    /// A border elsewhere is damage, as for the kernel.
    @Test func aBorderElsewhereIsFound() throws {
        let device = try XFSImage(.rhel10, files: ["etc/fstab": [1]]).device()
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        let id = try transaction.createNode(
            Array("null".utf8), in: volume.rootDirectory, type: .characterDevice,
            device: FileAttributes.DeviceNumber(major: 1, minor: 3),
            attributes: NewFileAttributes(permissions: 0o600, owner: 0, group: 0))
        try transaction.setExtendedAttribute(Self.label, of: id, to: [1, 2, 3])
        var inode = try transaction.inode(id)
        #expect(inode.defect == nil)
        inode.bytes[Inode.Offset.forkOffset] = 31
        #expect(inode.defect == "di_forkoff")
    }
}
