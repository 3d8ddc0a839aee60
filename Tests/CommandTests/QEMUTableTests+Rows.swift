import Foundation
import Storage
import TestSupport
import Testing

extension QEMUTableTests {
    /// Writes refcounts of 16 bits into the first refcount block.
    private static func setRefcounts(_ path: String, _ clusters: Range<Int>, to value: UInt8) throws {
        var bytes = try fileBytes(path)
        let block = Int(bytes.big(Int(bytes.big(48, as: UInt64.self)), as: UInt64.self))
        for cluster in clusters { bytes[block + cluster * 2 + 1] = value }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    static let check = [
        Row(name: "check -f") { try $0.run("check", "-f", "qcow2", "a.qcow2", text: false) },
        Row(name: "check --output=json") {
            try $0.json("check", "--output=json", "a.qcow2")
            try $0.json("check", "--output=json", "leaky.qcow2")
            // Leaks and damage are counted by the cluster.
            for value in [UInt8(2), 0] {
                for folder in [$0.theirs, $0.ours] {
                    try Self.setRefcounts(folder + "/a.qcow2", 5..<10, to: value)
                }
                try $0.json("check", "--output=json", "a.qcow2")
            }
        },
        Row(name: "check -q") {
            try $0.run("check", "-q", "a.qcow2")
            try $0.run("check", "-q", "--output=json", "a.qcow2")
            try $0.run("check", "-q", "--output=json", "leaky.qcow2")
        },
        Row(name: "check -r leaks") {
            try $0.run("check", "-q", "leaky.qcow2", text: false)
            try $0.run("check", "-r", "leaks", "leaky.qcow2", text: false)
            try $0.run("check", "-q", "leaky.qcow2")
        },
        Row(name: "check -U") { both in try both.held { try both.run("check", "-q", "-U", "a.qcow2") } },
    ]

    static let compare = [
        Row(name: "compare -f -F") {
            try $0.run("compare", "-f", "qcow2", "-F", "raw", "a.qcow2", "a.raw")
            try $0.run("compare", "-f", "qcow2", "-F", "qcow2", "a.qcow2", "c.qcow2")
            // A difference inside a sector is told by the sector.
            for folder in [$0.theirs, $0.ours] {
                try Tool.run("cp", ["a.raw", "d.raw"], directory: folder)
                try Tool.run("qemu-io", ["-f", "raw", "-c", "write -P 3 5000123 7", folder + "/d.raw"])
                try Tool.run("cp", ["a.raw", "e.raw"], directory: folder)
                try Tool.run("qemu-io", ["-f", "raw", "-c", "write -P 3 9000123 7", folder + "/e.raw"])
            }
            try $0.run("compare", "-f", "raw", "-F", "raw", "a.raw", "d.raw")
            try $0.run("compare", "-f", "raw", "-F", "raw", "a.raw", "e.raw")
        },
        Row(name: "compare images of two sizes") {
            for folder in [$0.theirs, $0.ours] {
                try Tool.run("cp", ["a.raw", "long.raw"], directory: folder)
                try Tool.run("truncate", ["-s", "12M", "long.raw"], directory: folder)
                try Tool.run(
                    "qemu-img", ["create", "-q", "-f", "raw", "empty.raw", "12M"], directory: folder)
                try Tool.run("cp", ["long.raw", "other.raw"], directory: folder)
                try Tool.run(
                    "qemu-io", ["-f", "raw", "-c", "write -P 3 11M 512", "other.raw"], directory: folder)
            }
            for other in ["long.raw", "empty.raw", "other.raw"] {
                try $0.run("compare", "-f", "raw", "-F", "raw", "a.raw", other)
                try $0.run("compare", "-f", "raw", "-F", "raw", other, "a.raw")
                try $0.run("compare", "-q", "-f", "raw", "-F", "raw", "a.raw", other)
            }
        },
        Row(name: "compare -p") {
            let (one, other) = try $0.run("compare", "-p", "a.qcow2", "b.qcow2", text: false)
            for result in [one, other] {
                #expect(
                    result.text.contains("(100.00/100%)") && result.text.contains("Images are identical."))
            }
        },
        Row(name: "compare -q") {
            try $0.run("compare", "-q", "a.qcow2", "b.qcow2")
            try $0.run("compare", "-q", "a.qcow2", "c.qcow2")
        },
        Row(name: "compare -U") { both in
            try both.held { try both.run("compare", "-U", "a.qcow2", "b.qcow2") }
        },
    ]

    static let convert = [
        Row(name: "convert -f -O") {
            for format in ["raw", "qcow2", "vmdk", "vpc", "vhdx", "vdi"] {
                let options = format == "vpc" ? ["-o", "force_size"] : []
                let arguments = ["-fqcow2", "-O", format] + options + ["a.qcow2", "o.\(format)"]
                for (program, folder) in [("qemu-img", $0.theirs), (Fixture.command, $0.ours)] {
                    try Tool.run(program, ["convert"] + arguments, directory: folder)
                }
                try $0.made("o.\(format)", format)
            }
        },
        Row(name: "convert -o subformat=") {
            for subformat in [
                "monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
                "streamOptimized",
            ] {
                let options = "subformat=\(subformat),adapter_type=buslogic,hwversion=7,toolsversion=3"
                try $0.run("convert", "-O", "vmdk", "-o", options, "a.qcow2", "o.vmdk")
                try $0.made("o.vmdk", "vmdk")
            }
            try $0.run("convert", "-O", "vmdk", "-o", "zeroed_grain=on,compat6", "a.qcow2", "o.vmdk")
            try $0.made("o.vmdk", "vmdk")
        },
        Row(name: "convert -p") {
            let (one, other) = try $0.run("convert", "-pO", "raw", "a.qcow2", "o.raw", text: false)
            for result in [one, other] { #expect(result.text.contains("(100.00/100%)")) }
            try $0.made("o.raw", "raw")
        },
        Row(name: "convert -q") { try $0.run("convert", "-q", "-O", "raw", "a.qcow2", "o.raw") },
        Row(name: "convert -m") {
            try $0.run("convert", "-m", "4", "-O", "raw", "a.qcow2", "o.raw")
            try $0.made("o.raw", "raw")
        },
        Row(name: "convert -U") { both in
            try both.held { try both.run("convert", "-U", "-O", "raw", "a.qcow2", "o.raw") }
            try both.made("o.raw", "raw")
        },
        Row(name: "convert several inputs") {
            for folder in [$0.theirs, $0.ours] {
                // No whole number of sectors in the middle.
                try Tool.run("cp", ["a.raw", "odd.raw"], directory: folder)
                try Tool.run("truncate", ["-s", "5000123", "odd.raw"], directory: folder)
            }
            try $0.run("convert", "-f", "raw", "-O", "qcow2", "a.raw", "odd.raw", "a.raw", "o.qcow2")
            try $0.made("o.qcow2", "qcow2")
            try $0.run("convert", "-O", "raw", "a.qcow2", "c.qcow2", "o.raw")
            try $0.made("o.raw", "raw")
        },
        Row(name: "convert --salvage") { both in
            // A data cluster behind the file's end.
            for folder in [both.theirs, both.ours] {
                var bytes = try fileBytes(folder + "/a.qcow2")
                let table = Int(
                    bytes.big(Int(bytes.big(40, as: UInt64.self)), as: UInt64.self) & 0xff_ffff_ff00)
                bytes.storeBig(UInt64(1) << 63 | 1 << 30, at: table + 2 * 8)
                try Data(bytes).write(to: URL(fileURLWithPath: folder + "/a.qcow2"))
            }
            try both.run("convert", "--salvage", "-O", "raw", "a.qcow2", "o.raw", text: false)
            try both.made("o.raw", "raw")
        },
    ]

    static let create = [
        Row(name: "create -f") {
            try $0.run("create", "-q", "-f", "qcow2", "n.qcow2", "1000000")
            try $0.made("n.qcow2", "qcow2")
            try $0.run("create", "-q", "-fraw", "n.raw", "1000")
            try $0.made("n.raw", "raw")
        },
        Row(name: "create SIZE") {
            for size in ["0x100000", "1.5M", "2g", "65536b"] {
                try $0.run("create", "-q", "-f", "qcow2", "n.qcow2", size)
                try $0.made("n.qcow2", "qcow2")
            }
        },
        Row(name: "create -b -F") {
            try $0.run("create", "-q", "-f", "qcow2", "-b", "a.qcow2", "-F", "qcow2", "n.qcow2")
            try $0.made("n.qcow2", "qcow2")
            try $0.run("create", "-q", "-f", "qcow2", "-b", "a.raw", "-F", "raw", "r.qcow2", "12M")
            try $0.made("r.qcow2", "qcow2")
            try $0.run("convert", "-q", "-O", "vmdk", "a.qcow2", "a.vmdk")
            try $0.run("create", "-q", "-f", "vmdk", "-b", "a.vmdk", "-F", "vmdk", "n.vmdk")
            try $0.made("n.vmdk", "vmdk")
        },
        Row(name: "create -b -u") { both in
            try both.run(
                "create", "-q", "-u", "-f", "qcow2", "-b", "later.qcow2", "-F", "qcow2", "n.qcow2", "10M")
            for folder in [both.theirs, both.ours] {
                try Tool.run("cp", ["a.qcow2", "later.qcow2"], directory: folder)
            }
            try both.made("n.qcow2", "qcow2")
        },
        Row(name: "create -o size=, backing_file=, backing_fmt=") {
            try $0.run("create", "-q", "-f", "qcow2", "-o", "size=5M", "s.qcow2")
            try $0.made("s.qcow2", "qcow2")
            try $0.run(
                "create", "-q", "-f", "qcow2", "-o", "backing_file=a.qcow2,backing_fmt=qcow2", "n.qcow2")
            try $0.made("n.qcow2", "qcow2")
        },
        Row(name: "create -q") { try $0.run("create", "-q", "-f", "raw", "n.raw", "1M") },
    ]

    static let info = [
        Row(name: "info -f") {
            try $0.json("info", "-f", "raw", "--output=json", "a.qcow2", leavingOut: ["actual-size"])
        },
        Row(name: "info --output=json") { both in
            for format in ["raw", "qcow2", "vpc", "vhdx", "vdi"] {
                for folder in [both.theirs, both.ours] {
                    try Tool.run(
                        "qemu-img", ["convert", "-O", format, "a.qcow2", "x.\(format)"], directory: folder)
                }
                try both.json("info", "--output=json", "x.\(format)", leavingOut: ["actual-size"])
            }
            for folder in [both.theirs, both.ours] {
                try Tool.run(
                    "qemu-img", ["create", "-q", "-f", "qcow2", "-o", "compat=0.10", "old.qcow2", "1M"],
                    directory: folder)
                try Tool.run(
                    "qemu-img",
                    ["create", "-q", "-f", "qcow2", "-b", "a.qcow2", "-F", "qcow2", "child.qcow2"],
                    directory: folder)
            }
            for name in ["old.qcow2", "child.qcow2", "./child.qcow2"] {
                try both.json("info", "--output=json", name, leavingOut: ["actual-size"])
            }
            for (name, options) in [
                ("one", "subformat=monolithicSparse"), ("stream", "subformat=streamOptimized"),
                ("flat", "subformat=monolithicFlat"),
            ] {
                // Its identifier is made by chance.
                try Tool.run(
                    "qemu-img", ["convert", "-O", "vmdk", "-o", options, "a.qcow2", "\(name).vmdk"],
                    directory: both.theirs)
                try Tool.run("sh", ["-c", "cp \(name)*.vmdk ../own/"], directory: both.theirs)
                try both.json("info", "--output=json", "\(name).vmdk", leavingOut: ["actual-size"])
                try both.json("info", "--output=json", "./\(name).vmdk", leavingOut: ["actual-size"])
            }
            // One snapshot, the same in both.
            try Tool.run("qemu-img", ["snapshot", "-c", "before", "c.qcow2"], directory: both.theirs)
            try Tool.run("cp", [both.theirs + "/c.qcow2", both.ours + "/c.qcow2"])
            try both.json("info", "--output=json", "c.qcow2", leavingOut: ["actual-size"])
        },
        Row(name: "info --backing-chain --output=json") { both in
            for folder in [both.theirs, both.ours] {
                for (parent, child) in [("a", "child"), ("child", "grand")] {
                    try Tool.run(
                        "qemu-img",
                        [
                            "create", "-q", "-f", "qcow2", "-b", "\(parent).qcow2", "-F", "qcow2",
                            "\(child).qcow2",
                        ], directory: folder)
                }
            }
            let ours = try Tool.run(
                Fixture.command,
                ["info", "--backing-chain", "--output=json", "--allow-siblings", "grand.qcow2"],
                directory: both.ours)
            let theirs = try Tool.run(
                "qemu-img", ["info", "--backing-chain", "--output=json", "grand.qcow2"],
                directory: both.theirs)
            func rows(_ result: Tool.Result) throws -> NSArray? {
                let rows = try JSONSerialization.jsonObject(with: Data(result.output)) as? [[String: Any]]
                return rows?.map { $0.filter { $0.key != "actual-size" } } as NSArray?
            }
            #expect(try rows(ours) != nil && rows(ours) == rows(theirs), "\(ours.text) \(theirs.text)")
            // An image without others behind it is a chain of one, in both.
            try both.json("info", "--backing-chain", "--output=json", "a.qcow2", leavingOut: ["actual-size"])
            let human = try Tool.run(
                Fixture.command, ["info", "--backing-chain", "--allow-siblings", "grand.qcow2"],
                directory: both.ours
            ).text
            for name in ["grand", "child", "a"] {
                #expect(
                    human.split(separator: "\n").contains {
                        $0.hasPrefix("image:") && $0.hasSuffix(" \(name).qcow2")
                    })
            }
            let refused = try Tool.run(
                Fixture.command, ["info", "--backing-chain", "grand.qcow2"], directory: both.ours,
                expect: 2...2)
            #expect(refused.errorText.contains("--allow-siblings"))
        },
        Row(name: "info -U") { both in
            try both.held {
                try both.json("info", "-U", "--output=json", "a.qcow2", leavingOut: ["actual-size"])
            }
        },
    ]

    static let map = [
        Row(name: "map -f") {
            try $0.json("map", "-f", "qcow2", "--output=json", "a.qcow2", leavingOut: ["compressed"])
        },
        Row(name: "map --output=json") { both in
            for format in ["raw", "qcow2", "vmdk", "vdi"] {
                for folder in [both.theirs, both.ours] {
                    try Tool.run(
                        "qemu-img", ["convert", "-O", format, "a.qcow2", "x.\(format)"], directory: folder)
                }
                try both.json("map", "--output=json", "x.\(format)", leavingOut: ["compressed"])
            }
        },
        Row(name: "map --start-offset --max-length") {
            try $0.json(
                "map", "--output=json", "--start-offset=100000", "--max-length", "2M", "a.qcow2",
                leavingOut: ["compressed"])
            try $0.json("map", "--output=json", "-s", "5M", "-l", "1K", "a.qcow2", leavingOut: ["compressed"])
            for place in [["-l", "0"], ["-s", "10M"], ["-s", "2G"], ["-s", "1M", "-l", "0"]] {
                try $0.json(["map", "--output=json"] + place + ["a.qcow2"], leavingOut: ["compressed"])
            }
        },
        Row(name: "map -U") { both in
            try both.held {
                try both.json("map", "-U", "--output=json", "a.qcow2", leavingOut: ["compressed"])
            }
        },
    ]

    static let measure = [
        Row(name: "measure -f") { try $0.run("measure", "-f", "raw", "-O", "qcow2", "a.qcow2") },
        Row(name: "measure -O raw") { try $0.run("measure", "-O", "raw", "a.qcow2") },
        Row(name: "measure -O qcow2") {
            try $0.run("measure", "-O", "qcow2", "a.qcow2")
            try $0.run("measure", "-O", "qcow2", "a.raw")
        },
        Row(name: "measure -o") {
            for options in ["cluster_size=4k", "refcount_bits=64,cluster_size=2M", "compat=0.10"] {
                try $0.run("measure", "-O", "qcow2", "-o", options, "a.qcow2")
                try $0.run("measure", "-O", "qcow2", "-o", options, "--size", "100G")
            }
        },
        Row(name: "measure --size") {
            for size in ["0", "1", "65537", "1G", "3T"] {
                try $0.run("measure", "-O", "qcow2", "--size", size)
            }
        },
        Row(name: "measure --output=json") {
            try $0.json("measure", "--output=json", "-O", "qcow2", "a.qcow2")
        },
        Row(name: "measure -U") { both in
            try both.held { try both.run("measure", "-U", "-O", "raw", "a.qcow2") }
        },
    ]

    static let resize = [
        Row(name: "resize SIZE, +SIZE") {
            try $0.run("resize", "-q", "a.qcow2", "20M")
            try $0.run("resize", "-q", "a.qcow2", "+10M")
            try $0.made("a.qcow2", "qcow2")
            // No whole number of sectors.
            for (program, folder) in [("qemu-img", $0.theirs), (Fixture.command, $0.ours)] {
                #expect(
                    try Tool.run(program, ["resize", "a.qcow2", "+100"], directory: folder, expect: nil)
                        .status != 0)
            }
            try $0.made("a.qcow2", "qcow2")
            try $0.run("resize", "-q", "-f", "raw", "a.raw", "+100")
            try $0.made("a.raw", "raw")
        },
        Row(name: "resize -SIZE") {
            let (one, other) = ($0.theirs, $0.ours)
            let theirs = try Tool.run("qemu-img", ["resize", "a.qcow2", "-1M"], directory: one, expect: nil)
            let ours = try Tool.run(
                Fixture.command, ["resize", "a.qcow2", "-1M"], directory: other, expect: nil)
            for result in [theirs, ours] {
                #expect(result.status != 0 && result.errorText.contains("--shrink"))
            }
            try $0.run("resize", "-q", "--shrink", "a.qcow2", "-1M")
            try $0.made("a.qcow2", "qcow2")
        },
        Row(name: "resize --preallocation=off") {
            try $0.run("resize", "-q", "-f", "raw", "--preallocation=off", "a.raw", "+1M")
            try $0.made("a.raw", "raw")
        },
        Row(name: "resize -f") {
            try $0.run("resize", "-q", "-f", "raw", "a.raw", "+1M")
            try $0.made("a.raw", "raw")
        },
        Row(name: "resize -q") { try $0.run("resize", "-q", "a.qcow2", "+1M") },
    ]
}
