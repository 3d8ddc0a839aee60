import Patcher
import Storage
import Testing

/// What the lists of syntaxes, steps and rules must keep.
@Suite struct RegistryTests {
    @Test func stepsComeBehindWhatTheyBuildOn() {
        let order = PlanSteps.ordered.map { ObjectIdentifier($0) }
        #expect(Set(order).count == order.count)
        #expect(Set(order) == Set(PlanSteps.all.map { ObjectIdentifier($0) }))
        for step in PlanSteps.all {
            let place = order.firstIndex(of: ObjectIdentifier(step))
            for earlier in step.after {
                let before = order.firstIndex(of: ObjectIdentifier(earlier))
                #expect(before ?? .max < place ?? 0, "\(step) comes after \(earlier)")
            }
        }
    }

    @Test func stepsReadSyntaxesThatAreLookedFor() {
        let known = Set(ConfigurationSyntaxes.all.map { ObjectIdentifier($0) })
        #expect(known.count == ConfigurationSyntaxes.all.count)
        for step in PlanSteps.all {
            for syntax in step.reads { #expect(known.contains(ObjectIdentifier(syntax)), "\(step)") }
        }
    }

    /// Which syntax reads a file must not hang on the order of a list. (A path comes before the directory that it lies in.)
    @Test func noPlaceIsClaimedTwice() {
        let places = ConfigurationSyntaxes.all.flatMap { syntax in
            syntax.places.map { (syntax: "\(syntax)", place: $0) }
        }
        for (index, one) in places.enumerated() {
            for other in places[(index + 1)...] {
                #expect(!one.place.overlaps(other.place), "\(one) and \(other)")
            }
        }
        #expect(places.count > 100)
    }

    @Test func repairsHaveWords() {
        #expect(
            Repair.all.map(\.rawValue) == [
                "names", "default-entry", "console", "kernel-options", "dead-rows", "lvm", "settings",
                "tools", "clock", "net", "efi", "xorg", "debconf", "drivers",
            ])
        for repair in Repair.all { #expect(Repair(rawValue: repair.rawValue) == repair) }
        #expect(Repair(rawValue: "everything") == nil)
        #expect(Repair.all.filter(\.needsAsking) == [.tools, .clock, .net, .xorg, .debconf])
    }

    /// Remedies are named by who shows a sentence; the sentence itself knows no flag.
    @Test func sentencesNameNoFlags() throws {
        guard case .disk(let name, nil) = DeviceName("/dev/hdc") else { throw NoDisk() }
        let reasons: [UnresolvedReason] = [
            .statedDiskMissing(disk: 2, given: 1), .namedByHardware(name),
            .behindLastDisk(name, disk: 2, given: 1), .behindGap(name, disk: 2, given: 2), .otherOrder(name),
            .ofCopy(name),
            .unsurePosition(name, position: 2),
            .otherKindThanRoot(name), .mountedElsewhere(name), .otherContents(name), .unknownToKernel(name),
            .severalKinds(name),
            .unknownToSource(name, .vmware), .noPartition(disk: 0, number: 3),
            .noBearer(.label(Array("data".utf8))), .shared(.uuid("ABCD-1234"), volumes: ["p1", "p2"]),
            .opaque, .rowSays(types: ["swap"], volume: "p1", kind: .ext4),
            .noFileSystem(volume: "p1", kind: .swap), .severalRoots(["/dev/sda1", "/dev/vda1"]),
        ]
        let verdicts: [VerdictReason] = [
            .noUEFILoader(target: "hyperv-gen2"), .controllerNotOffered(.nvme, target: Target.all[0]),
            .firmwareWithoutDriver(.megasas, target: .kvm),
            .noFallbackLoader(program: "EFI/BOOT/BOOTX64.EFI", .resetsForever),
            .cannotTakeChanges(volume: "p1", why: "the volume is full"),
            .uefiOnly(target: "hyperv"), .noBootCode(on: .kvm), .afterChanges(.noBootCode(on: .kvm)),
            .rootShared("UUID=1", volumes: ["p1", "2:p1"]), .menuNotInUse, .argumentsUnreadable,
            .rowStopsBoot(mountPoint: "/var", "/dev/hdc1", .namedByHardware(name)),
            .generatedFile(path: "/nix/store/a", .nix), .generatedFile(path: "/gnu/store/a", .guix),
            .driversMissing(["ahci"], .ahci, .unwanted), .driversMissing(["ahci"], .ahci, .noInitramfs),
            .driversMissing(["ahci"], .ahci, .impossible("of that")),
            .driversMissing(
                ["ahci"], .ahci,
                .noRoom(
                    directory: "/boot", needed: 9, free: 1, controllers: [.ide, .nvme], hasFallback: true)),
            .noSuchDriver("AHCI", release: "6.1", .ahci), .needsArgument("a=b", .ide),
            .bootsXen(on: .kvm), .xenOnlyKernel(on: .xenserver), .liloMap, .rootNeedsInitramfs("LABEL=/"),
            .rootUnresolved("/dev/hdc1", .namedByHardware(name)), .keepsXenEntry, .argumentsElsewhere,
            .suspended(volume: "p2"), .unreadableMount(path: "/boot", volume: "p1", kind: .xfs),
            .unreadableMenu(path: "/boot/efi", volume: "p1"), .bootUnresolved("/dev/hdc1", .opaque),
            .unknownLoader, .wouldChangeAgain(path: "/etc/fstab"),
            .wouldBeTakenFor(volume: "p3", name: "/dev/sda3", path: "/etc/fstab", line: 2, .opaque),
            .defaultCannot(title: "A", .liloMap, on: .kvm),
        ]
        for sentence in reasons.map(\.sentence) + verdicts.map(\.sentence) {
            #expect(!sentence.plain.contains("--"), "\(sentence.plain)")
            #expect(!sentence.plain.contains("diskgraft"), "\(sentence.plain)")
            #expect(!sentence.plain.isEmpty)
        }
        #expect(
            UnresolvedReason.namedByHardware(name).sentence.text {
                $0 == .stateDisk("/dev/hdc") ? "HERE" : ""
            }
                == "/dev/hdc is named by hardware that is not in the image; HERE would tell")
    }
}

extension ConfigurationPlace {
    /// A file may lie in both, and neither is more precise.
    fileprivate func overlaps(_ other: Self) -> Bool {
        switch (self, other) {
        case (.path(let one), .path(let two)): one == two
        case (.vendor(let one), .vendor(let two)): one == two
        case (.directory(let one, let prefix1, let suffix1), .directory(let two, let prefix2, let suffix2)):
            one == two && (prefix1.hasPrefix(prefix2) || prefix2.hasPrefix(prefix1))
                && (suffix1.hasSuffix(suffix2) || suffix2.hasSuffix(suffix1))
        case (.dropIns(let one, let suffix1), .dropIns(let two, let suffix2)):
            one == two && (suffix1.hasSuffix(suffix2) || suffix2.hasSuffix(suffix1))
        default: false
        }
    }
}

private struct NoDisk: Error {}
