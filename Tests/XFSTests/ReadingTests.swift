import Storage
import TestSupport
import Testing
import XFS

/// Every form that directories, attributes and links have, in every kind of volume.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct ReadingTests {
    @Test(arguments: Profile.all) func directoriesOfEveryForm(_ profile: Profile) throws {
        let sizes = [0, 2, 40, 300, 3000]
        let image = try XFSImage(
            profile, more: sizes.flatMap { XFSImage.directory("d\($0)", $0) }, byteCount: 48 << 20)
        try #require(try image.defects() == "")
        let volume = try XFSFileSystem.open(image.device())
        for size in sizes {
            let directory = try #require(try volume.find("d\(size)"))
            let names = try volume.entries(of: directory).map { $0.name.text }
            #expect(Set(names) == Set((0..<size).map { "entry-\($0)" }) && names.count == size)
            for number in Set([0, size / 2, size - 1]) where number >= 0 && number < size {
                let file = try #require(try volume.find("d\(size)/entry-\(number)"))
                #expect(try volume.attributes(of: file).type == .fifo)
            }
            #expect(try volume.find("d\(size)/entry-\(size)") == nil)
            #expect(try volume.lookUp(Array("..".utf8), in: directory) == volume.rootDirectory)
        }
        var findings: [Finding] = []
        try XFSDriver.check(image.device()) { findings.append($0) }
        #expect(findings == [])
    }

    /// Local, leaf, node and remote, of each name space.
    @Test(arguments: [Profile.rhel7, .rhel10, .smallBlocks, .rhel6])
    func attributesOfEveryForm(_ profile: Profile) throws {
        for count in [1, 12, 150] {
            let image = try XFSImage(profile, files: ["file": [1, 2, 3]])
            let volume = try XFSFileSystem.open(image.device())
            let file = try #require(try volume.find("file"))
            var commands = ["inode \(file)"]
            for index in 0..<count { commands.append("attr_set -u -v \(60 + index % 3) name\(index)") }
            commands.append("attr_set -s -v 20 selinux")
            if count > 1 { commands.append("attr_set -r -v 30000 remote") }
            try image.edit(commands)
            try #require(try image.defects() == "")
            let again = try XFSFileSystem.open(image.device())
            var expected = (0..<count).map { ("user.name\($0)", 60 + $0 % 3) } + [("security.selinux", 20)]
            if count > 1 { expected.append(("trusted.remote", 30000)) }
            let found = try again.extendedAttributes(of: file)
            #expect(found.count == expected.count)
            for (name, length) in expected {
                let value = try #require(found.first { $0.name.text == name }?.value, "\(name)")
                #expect(value.count == length && Set(value).count == 1)
            }
            #expect(try again.contents(of: file) == [1, 2, 3])
        }
    }

    @Test(arguments: Profile.all) func linksInAndOutOfTheInode(_ profile: Profile) throws {
        // mkfs.xfs of xfsprogs 6.1 leaves out the header that long ones have in version 5.
        let lengths = profile.options.contains { $0.contains("crc=0") } ? [5, 150, 300, 1000] : [5, 150]
        let targets = lengths.map { String(repeating: "t", count: $0) }
        let image = try XFSImage(
            profile, more: targets.map { "link\($0.count) l--777 0 0 \($0)" } + ["null c--666 0 0 1 3"])
        let volume = try XFSFileSystem.open(image.device())
        for target in targets {
            let link = try #require(try volume.find("link\(target.count)"))
            #expect(try volume.symbolicLinkTarget(of: link).text == target)
        }
        let device = try volume.attributes(of: #require(try volume.find("null")))
        #expect(device.type == .characterDevice && device.deviceNumber == .init(major: 1, minor: 3))
    }

    @Test func labelAndUUIDAreBlkids() throws {
        for profile in [Profile.rhel9, .rhel6] {
            let image = try XFSImage(
                Profile(name: "label", options: profile.options + ["-L", "twelve bytes"]))
            let signature = try #require(try XFSDriver.identify(image.device()))
            let words = try Tool.run("blkid", ["-p", "-o", "export", image.path]).text
            #expect(words.contains("TYPE=xfs\n") && words.contains("LABEL=twelve\\ bytes\n"))
            #expect(words.contains("UUID=\(signature.identity.uuid ?? "")\n"))
            #expect(signature.identity.label?.text == "twelve bytes")
            #expect(signature.strength == (profile.name == "rhel9" ? .verified : .firm))
        }
    }

    /// Where blkid sees no XFS, a superblock is a weak signature or none.
    @Test func damagedSuperblocksAreWeak() throws {
        let bytes = try XFSImage(.rhel9).bytes()
        for (offset, value) in [(91, UInt8(0)), (121, 3), (122, 5), (127, 101), (110, 66)] {
            var damaged = bytes
            if offset == 91 {
                for index in 88..<92 { damaged[index] = 0 }
            } else {
                damaged[offset] = value
            }
            let image = try XFSImage(damaged)
            // blkid looks at the checksum since util-linux 2.39.
            if offset != 110 {
                #expect(try !Tool.run("blkid", ["-p", image.path], expect: nil).text.contains("TYPE=\"xfs"))
            }
            #expect(try XFSDriver.identify(MemoryDevice(damaged))?.strength == .weak)
        }
    }

    /// A block of 64 KiB holds the inodes of two records: each is counted once.
    @Test func inodesOfLargeBlocks() throws {
        let image = try XFSImage(
            Profile(name: "64k", options: ["-b", "size=65536"], blockSize: 65536),
            files: ["file": TreeModel.contents(70_000)], more: XFSImage.directory("many", 200),
            byteCount: 600 << 20)
        var findings: [Finding] = []
        try XFSDriver.check(SparseDevice(image.path)) { findings.append($0) }
        #expect(findings == [])
        #expect(try image.defects() == "")
    }
}
