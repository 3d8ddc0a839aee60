import ImageFormats
import Storage
import TestSupport
import Testing

extension ImageDriverCase {
    /// Every kind of image that is made here.
    static let all: [ImageDriverCase] = raw + vhd + vhdx + vmdk + vdi + qcow2

    private static let raw = [
        ImageDriverCase("raw", RawDriver.self).with {
            $0.isRecognised = false
            $0.judge = "raw"
        }
    ]

    private static let vhd: [ImageDriverCase] = [
        ImageDriverCase("dynamic VHD", VHDDriver.self).with {
            $0.judge = "vpc"
            $0.judgeOptions = ["-o", "force_size"]
            $0.parents = [[], [("subformat", "fixed")]]
        },
        ImageDriverCase("dynamic VHD of small blocks", VHDDriver.self).with {
            $0.options = [("block_size", "512K")]
            $0.judge = "vpc"
            $0.parents = [[]]
        },
        ImageDriverCase("fixed VHD", VHDDriver.self).with {
            $0.options = [("subformat", "fixed")]
            $0.judge = "vpc"
            $0.judgeOptions = ["-o", "force_size,subformat=fixed"]
        },
    ]

    private static let vhdx: [ImageDriverCase] = [
        ImageDriverCase("dynamic VHDX", VHDXDriver.self).with {
            $0.judge = "vhdx"
            $0.isCheckedByJudge = true
            $0.judgeOptions = ["-o", "block_size=1M"]
            $0.parents = [[], [("subformat", "fixed")]]
        },
        ImageDriverCase("VHDX of large blocks", VHDXDriver.self).with {
            $0.options = [("block_size", "16M"), ("log_size", "2M")]
            $0.judge = "vhdx"
            $0.isCheckedByJudge = true
        },
        // No other tool here reads these right: judged by a flat copy.
        ImageDriverCase("VHDX over a parent, large blocks", VHDXDriver.self).with {
            $0.options = [("block_size", "16M")]
            $0.parents = [[("block_size", "1M")]]
        },
        ImageDriverCase("VHDX of 4096-byte sectors", VHDXDriver.self).with {
            $0.sectorSize = 4096
            $0.options = [("block_size", "2M")]
            $0.parents = [[("block_size", "1M")]]
        },
        ImageDriverCase("fixed VHDX", VHDXDriver.self).with {
            $0.options = [("subformat", "fixed")]
            $0.judge = "vhdx"
            $0.isCheckedByJudge = true
            $0.judgeOptions = ["-o", "subformat=fixed,block_size=1M"]
        },
    ]

    private static let vmdk: [ImageDriverCase] = [
        ImageDriverCase("monolithicSparse VMDK", VMDKDriver.self).with {
            $0.judge = "vmdk"
            $0.isCheckedByJudge = true
            $0.judgeOptions = []
            $0.parents = [[], [("subformat", "monolithicFlat")]]
            $0.keepsParentSize = true
        },
        ImageDriverCase("monolithicFlat VMDK", VMDKDriver.self).with {
            $0.options = [("subformat", "monolithicFlat")]
            $0.judge = "vmdk"
            $0.isOneFile = false
        },
        ImageDriverCase("twoGbMaxExtentSparse VMDK", VMDKDriver.self).with {
            $0.options = [("subformat", "twoGbMaxExtentSparse"), ("zeroed_grain", "on")]
            $0.judge = "vmdk"
            $0.isCheckedByJudge = true
            $0.isOneFile = false
        },
    ]

    private static let vdi: [ImageDriverCase] = [
        ImageDriverCase("dynamic VDI", VDIDriver.self).with {
            $0.judge = "vdi"
            $0.isCheckedByJudge = true
            $0.judgeOptions = []
            $0.parents = [[], [("static", "on")]]
            $0.namesParent = false
        },
        ImageDriverCase("static VDI", VDIDriver.self).with {
            $0.options = [("static", "on")]
            $0.judge = "vdi"
            $0.isCheckedByJudge = true
            $0.judgeOptions = ["-o", "static=on"]
        },
    ]

    private static let qcow2: [ImageDriverCase] = [
        ImageDriverCase("qcow2", QCOW2Driver.self).with {
            $0.judge = "qcow2"
            $0.isCheckedByJudge = true
            $0.judgeOptions = ["-c"]
            $0.parents = [[], [("compat", "0.10")]]
            $0.knowsParent = false
        },
        ImageDriverCase("qcow2 of small clusters", QCOW2Driver.self).with {
            $0.options = [("cluster_size", "4K")]
            $0.judge = "qcow2"
            $0.isCheckedByJudge = true
            $0.judgeOptions = ["-o", "cluster_size=4096,compat=0.10"]
            $0.parents = [[]]
            $0.knowsParent = false
        },
    ]

    /// Every kind of image that is read and not made.
    static let readAlone: [ImageDriverCase] = [
        ImageDriverCase("qcow version 1", QCOW1Driver.self).with {
            $0.judge = "qcow"
            $0.parents = [[]]
        },
        ImageDriverCase("QED", QEDDriver.self).with {
            $0.judge = "qed"
            $0.parents = [[]]
        },
        ImageDriverCase("Parallels", ParallelsDriver.self).with { $0.judge = "parallels" },
    ]

    fileprivate static let withChildren = all.filter { !$0.parents.isEmpty }
}

/// The suite of all drivers, run for every kind of image.
struct ImageDriverTests {
    @Test(arguments: ImageDriverCase.all) func aNewDiskIsZeros(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.aNewDiskIsZeros(kind)
    }

    @Test(arguments: ImageDriverCase.all) func writesMatchAFlatCopy(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.writesMatchAFlatCopy(kind, madeByJudge: false)
    }

    @Test(
        .enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"),
        arguments: ImageDriverCase.all.filter { $0.judgeOptions != nil })
    func writesToDisksMadeByOthersMatchAFlatCopy(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.writesMatchAFlatCopy(kind, madeByJudge: true)
    }

    @Test(arguments: ImageDriverCase.all) func readingWritesNothing(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.readingWritesNothing(kind)
    }

    @Test(arguments: ImageDriverCase.all) func creationRefuses(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.creationRefuses(kind)
    }

    @Test(arguments: ImageDriverCase.all) func damageIsTold(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.damageIsTold(kind)
    }

    @Test(arguments: ImageDriverCase.all.filter(\.isOneFile), 1..<3 as Range<UInt64>)
    func everyCutLeavesOldOrNew(_ kind: ImageDriverCase, seed: UInt64) throws {
        try ImageDriverSuite.everyCutLeavesOldOrNew(kind, seed: seed)
    }

    @Test(arguments: ImageDriverCase.withChildren)
    func everyCutOfAChildLeavesOldOrNew(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.everyCutOfAChildLeavesOldOrNew(kind)
    }

    @Test(arguments: ImageDriverCase.withChildren) func childrenMatchAFlatCopy(_ kind: ImageDriverCase) throws
    {
        for options in kind.parents { try ImageDriverSuite.childrenMatchAFlatCopy(kind, parent: options) }
    }

    @Test(arguments: ImageDriverCase.withChildren) func nothingIsOpenedUnasked(_ kind: ImageDriverCase) throws
    {
        try ImageDriverSuite.nothingIsOpenedUnasked(kind)
    }

    @Test(arguments: ImageDriverCase.withChildren) func chainsEnd(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.chainsEnd(kind)
    }
}

/// The same of formats that are read alone.
@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
struct ReadAloneDriverTests {
    /// No driver is left out of both lists.
    @Test func everyDriverRunsASuite() {
        var run: Set<ImageFormat> = []
        for kind in ImageDriverCase.all + ImageDriverCase.readAlone { run.insert(kind.driver.format) }
        #expect(run == Set(ImageFormat.allCases))
    }

    @Test(arguments: ImageDriverCase.readAlone) func areRead(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.aFormatThatIsReadAlone(kind)
    }

    @Test(arguments: ImageDriverCase.readAlone) func areNotMade(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.aFormatThatIsReadAloneIsNotMade(kind)
    }

    @Test(arguments: ImageDriverCase.readAlone) func damageIsTold(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.damageOfAFormatThatIsReadAloneIsTold(kind)
    }

    @Test(arguments: ImageDriverCase.readAlone.filter { !$0.parents.isEmpty })
    func nothingIsOpenedUnasked(_ kind: ImageDriverCase) throws {
        try ImageDriverSuite.nothingIsOpenedUnaskedByAFormatThatIsReadAlone(kind)
    }
}
