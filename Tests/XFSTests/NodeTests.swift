import Storage
import TestSupport
import Testing

@testable import XFS

/// Device nodes, FIFOs and sockets with extended attributes: their fork has one place, which the kernel and xfs_repair insist on.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct NodeTests {
    private let label = Array("security.selinux".utf8)
    private static let types: [(FileType, FileAttributes.DeviceNumber?)] = [
        (.characterDevice, FileAttributes.DeviceNumber(major: 5, minor: 1)),
        (.blockDevice, FileAttributes.DeviceNumber(major: 8, minor: 0)), (.fifo, nil), (.socket, nil),
    ]

    private func sound(_ device: MemoryDevice, _ comment: Comment) throws {
        #expect(try XFSImage(device.contents).defects() == "", comment)
        var findings: [Finding] = []
        try XFSDriver.check(device) { findings.append($0) }
        #expect(findings == [], comment)
    }

    /// Made with a label, labelled later, with a value that needs blocks, without one again, and labelled once more.
    @Test(arguments: Profile.all) func nodesHaveAttributes(_ profile: Profile) throws {
        let device = try XFSImage(profile).device()
        let values: [[UInt8]?] = [
            TreeModel.contents(30), TreeModel.contents(20), TreeModel.contents(3000), nil,
            TreeModel.contents(90),
        ]
        for (index, value) in values.enumerated() {
            let volume = try XFSFileSystem.open(device)
            let transaction = try volume.begin()
            for (number, (type, node)) in Self.types.enumerated() {
                let name = Array("node \(number)".utf8)
                guard index > 0 else {
                    let attributes = NewFileAttributes(
                        permissions: 0o600,
                        extendedAttributes: [ExtendedAttribute(name: label, value: value ?? [])])
                    _ = try transaction.createNode(
                        name, in: volume.rootDirectory, type: type, device: node, attributes: attributes)
                    _ = try transaction.createNode(
                        Array("plain \(number)".utf8), in: volume.rootDirectory, type: type, device: node,
                        attributes: NewFileAttributes(permissions: 0o600))
                    continue
                }
                for prefix in ["node", "plain"] {
                    let file = try #require(try volume.find("\(prefix) \(number)"))
                    try transaction.setExtendedAttribute(label, of: file, to: value)
                }
            }
            try transaction.prepare().commit()
            try sound(device, "value \(index)")
            let after = try XFSFileSystem.open(device)
            for (number, (type, node)) in Self.types.enumerated() {
                let file = try #require(try after.find("node \(number)"))
                let found = try after.attributes(of: file)
                #expect(found.type == type && found.deviceNumber == node)
                #expect(try after.extendedAttributes(of: file).first?.value == value)
            }
        }
    }

    /// A fork that begins elsewhere is damage for the kernel, and here.
    @Test func aMisplacedForkIsFound() throws {
        let device = try XFSImage(.rhel9, more: ["pipe p--644 0 0"]).device()
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        let file = try #require(try volume.find("pipe"))
        try transaction.setExtendedAttribute(label, of: file, to: [1, 2, 3])
        try transaction.prepare().commit()
        var inode = try volume.inode(InodeNumber(file.rawValue))
        let fork = Array(inode.bytes[inode.range(.attributes)])
        inode.bytes[Inode.Offset.forkOffset] = 31
        inode.bytes.replaceSubrange(176..<inode.bytes.count, with: [UInt8](repeating: 0, count: 336))
        inode.bytes.replaceSubrange(176 + 248..<inode.bytes.count, with: fork[..<88])
        Checksum.update(&inode.bytes, at: Inode.Offset.checksum)
        try device.write(inode.bytes, at: inode.position)
        #expect(try XFSImage(device.contents).defects().contains("bad attr fork offset"))
        var codes: [String] = []
        try XFSDriver.check(device) { codes.append($0.code) }
        #expect(codes.contains("bad-inode"), "\(codes)")
    }
}
