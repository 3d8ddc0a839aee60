import Machines
import Storage
import Testing

struct OtherDescriptionTests {
    @Test func vmx() throws {
        let machine = try VMXDescription.read(
            Array(
                """
                .encoding = "UTF-8"
                config.version = "8"
                # a comment = "x"
                DisplayName = "web |22one|22"
                guestOS = "rhel8-64"
                firmware = "efi"
                uefi.secureBoot.enabled = "TRUE"
                numvcpus = "2"
                memSize = "4096"
                uuid.bios = "56 4d 19 25 ef ca 37 87-5c 44 01 02 03 04 05 06"
                scsi0.present = "TRUE"
                scsi0.virtualDev = "pvscsi"
                SCSI0:1.present = "TRUE"
                scsi0:1.fileName = "data.vmdk"
                scsi0:0.present = "TRUE"
                scsi0:0.fileName = "web.vmdk"
                scsi0:0.deviceType = "scsi-hardDisk"
                scsi0:2.fileName = "not-plugged-in.vmdk"
                scsi1.fileName = "nothing.vmdk"
                ide1:0.present = "TRUE"
                ide1:0.deviceType = "cdrom-image"
                ide1:0.fileName = "tools.iso"
                ide0:1.present = "TRUE"
                ide0:1.fileName = "old.vmdk"
                sata0.present = "TRUE"
                sata0:0.present = "TRUE"
                sata0:0.fileName = "sata.vmdk"
                ethernet0.present = "TRUE"
                ethernet0.virtualDev = "vmxnet3"
                ethernet0.addressType = "generated"
                ethernet0.generatedAddress = "00:0c:29:aa:bb:cc"
                ethernet0.address = "00:50:56:00:00:01"
                """.utf8))
        #expect(machine.name == "web \"one\"" && machine.platform == .vmware)
        #expect(machine.firmware == .uefi && machine.hasSecureBoot == true)
        #expect(machine.processorCount == 2 && machine.memoryByteCount == 4 << 30)
        #expect(machine.identifier?.description == "564d1925-efca-3787-5c44-010203040506")
        #expect(machine.disks.map(\.file) == ["web.vmdk", "data.vmdk", "sata.vmdk", "old.vmdk"])
        #expect(machine.disks.map(\.unit) == [0, 1, 0, 1])
        #expect(machine.disks[0].controller == DiskController(.pvscsi))
        #expect(machine.cards.first?.address == "00:0c:29:aa:bb:cc")
        #expect(machine.cards.first?.model == "vmxnet3")
    }

    /// What is not said to be present is not there; where nothing is said, that is.
    @Test(arguments: [
        ("scsi0:0.fileName = \"a.vmdk\"\n", "scsi0:0 names a.vmdk"),
        ("scsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"a.vmdk\"\n", "scsi0 is not said"),
        ("scsi0.present = \"TRUE\"\nscsi0:0.fileName = \"a.vmdk\"\n", "scsi0:0 is not said"),
        ("scsi0.present = \"TRUE\"\nscsi0:0.present = \"FALSE\"\nscsi0:0.fileName = \"a.vmdk\"\n", ""),
        ("ide1:0.deviceType = \"cdrom-raw\"\nide1:0.fileName = \"auto detect\"\n", ""),
    ])
    func whatIsNotSaidToBePresent(_ text: String, _ note: String) throws {
        let machine = try VMXDescription.read(Array(("config.version = \"8\"\n" + text).utf8))
        #expect(machine.disks.isEmpty && machine.notes.count == (note.isEmpty ? 0 : 1))
        #expect(note.isEmpty || machine.notes.contains { $0.contains(note) })
    }

    @Test func encodingsOfVMX() throws {
        let text =
            "scsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"b\u{e4}r.vmdk\"\n"
        let latin = Array(".encoding = \"windows-1252\"\n".utf8) + text.unicodeScalars.map { UInt8($0.value) }
        #expect(try VMXDescription.read(latin).disks.first?.file == "bär.vmdk")
        // The host's own bytes where the encoding is not known.
        let other = Array(".encoding = \"GBK\"\n".utf8) + text.unicodeScalars.map { UInt8($0.value) }
        #expect(
            try VMXDescription.read(other).disks.first?.file.hostBytes == Array("b".utf8) + [0xe4]
                + Array("r.vmdk".utf8))
    }

    /// Windows' editors save a text with a byte-order mark, or as UTF-16.
    @Test func textsWithAByteOrderMark() throws {
        let text =
            "displayname = \"bär 東\"\nscsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"a.vmdk\"\n"
        let little = text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        let big = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        for bytes in [[0xef, 0xbb, 0xbf] + Array(text.utf8), [0xff, 0xfe] + little, [0xfe, 0xff] + big] {
            let machine = try VMXDescription.read(bytes)
            #expect(machine.name == "bär 東" && machine.disks.first?.file == "a.vmdk")
        }
        for bytes in [[0xff, 0xfe] + little + [0], [0xff, 0xfe, 0x00, 0xd8]] as [[UInt8]] {
            let error = #expect(throws: StorageError.self) { try VMXDescription.read(bytes) }
            #expect(error?.isCode(MachineCode.encoding) == true)
        }
    }

    /// All of an encrypted machine stands in one value; where only its TPM is encrypted, its disks stand beside that.
    @Test func encryptedMachines() throws {
        let keys =
            "config.version = \"8\"\nencryption.keySafe = \"vmware:key/list/\"\nencryption.data = \"ab\"\n"
        let error = #expect(throws: StorageError.self) { try VMXDescription.read(Array(keys.utf8)) }
        #expect(error?.isCode(MachineCode.encrypted) == true && error?.kind == .unsupported)
        let partly =
            keys + "scsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"a.vmdk\"\n"
        #expect(try VMXDescription.read(Array(partly.utf8)).disks.map(\.file) == ["a.vmdk"])
    }

    @Test(arguments: [
        ("memsize = \"much\"", MachineCode.badNumber), ("numvcpus = \"99999999999999999999\"", .badNumber),
        ("firmware = \"efi\"\nFirmware = \"bios\"", .contradiction),
    ])
    func damagedVMX(_ text: String, _ code: MachineCode) throws {
        let error = try #require(throws: StorageError.self) { try VMXDescription.read(Array(text.utf8)) }
        #expect(error.isCode(code))
    }

    @Test func virtualBox() throws {
        let text = """
            <?xml version="1.0"?><!-- no DOCTYPE -->
            <VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux">
            <Machine uuid="{5e2b3c1a-0000-4000-8000-000000000001}" name="web" OSType="Debian_64">
            <MediaRegistry><HardDisks>
             <HardDisk uuid="{aa}" location="web.vdi" format="VDI"><HardDisk uuid="{bb}" location="Snapshots/{bb}.vdi" format="VDI"/></HardDisk>
             <HardDisk uuid="{cc}" location="data.vmdk" format="VMDK"/>
            </HardDisks></MediaRegistry>
            <Snapshot uuid="{s}"><Hardware><Firmware type="BIOS"/><StorageControllers/></Hardware></Snapshot>
            <Hardware><CPU count="3"/><Memory RAMSize="1024"/><Firmware type="EFI"/>
            <Network><Adapter slot="1" enabled="false" MACAddress="080027000002"/>
            <Adapter slot="0" enabled="true" MACAddress="080027000001" type="virtio"><NAT/></Adapter></Network>
            <StorageControllers>
             <StorageController name="IDE" type="PIIX4"><AttachedDevice type="DVD" port="1" device="0"/>
              <AttachedDevice type="HardDisk" port="0" device="1"><Image uuid="{cc}"/></AttachedDevice></StorageController>
             <StorageController name="SATA" type="AHCI"><AttachedDevice type="HardDisk" port="0" device="0"><Image uuid="{BB}"/></AttachedDevice></StorageController>
            </StorageControllers></Hardware></Machine></VirtualBox>
            """
        let machine = try VirtualBoxDescription.read(Array(text.utf8))
        #expect(machine.name == "web" && machine.firmware == .uefi && machine.processorCount == 3)
        #expect(machine.disks.map(\.file) == ["data.vmdk", "Snapshots/{bb}.vdi"])
        #expect(
            machine.disks[1].parents == ["web.vdi"] && machine.disks[1].controller == DiskController(.ahci))
        #expect(machine.disks[0].unit == 1)
        #expect(machine.cards.map(\.address) == ["08:00:27:00:00:01"])
    }

    @Test func libvirt() throws {
        let text = """
            <domain type='kvm'><name>web</name><uuid>5e2b3c1a-0000-4000-8000-000000000001</uuid>
            <memory unit='GiB'>2</memory><vcpu placement='static'>2</vcpu>
            <os firmware='efi'><type arch='x86_64'>hvm</type><firmware><feature enabled='no' name='secure-boot'/></firmware></os>
            <devices>
            <disk type='file' device='cdrom'><source file='/iso'/><target dev='sda' bus='sata'/></disk>
            <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/images/b.qcow2'/><target dev='vdb' bus='virtio'/></disk>
            <disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/vg/a'/><target dev='vda' bus='virtio'/><boot order='1'/></disk>
            <disk type='file' device='disk'><source file='c.img'/><target dev='sdb' bus='scsi'/><address type='drive' controller='0' bus='0' target='0' unit='3'/></disk>
            <controller type='scsi' index='0' model='virtio-scsi'/>
            <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><model type='virtio'/></interface>
            </devices></domain>
            """
        let machine = try LibvirtDescription.read(Array(text.utf8))
        #expect(machine.platform == .kvm && machine.firmware == .uefi && machine.hasSecureBoot == false)
        #expect(machine.memoryByteCount == 2 << 30 && machine.processorCount == 2)
        #expect(machine.disks.map(\.file) == ["c.img", "/dev/vg/a", "/images/b.qcow2"])
        #expect(machine.disks.map(\.isStarted) == [false, true, false])
        #expect(machine.disks[0].controller == DiskController(.virtioSCSI) && machine.disks[0].unit == 3)
        #expect(machine.disks[1].controller == DiskController(.virtioBlk) && machine.disks[2].unit == 1)
        #expect(machine.cards == [.init(model: "virtio", address: "52:54:00:00:00:01", network: "br0")])
    }

    @Test func libvirtOfARemoteDisk() throws {
        let text =
            "<domain type='kvm'><devices><disk type='network'><source protocol='rbd' name='p/i'/><target dev='vda'/></disk></devices></domain>"
        let error = try #require(throws: StorageError.self) { try LibvirtDescription.read(Array(text.utf8)) }
        #expect(error.isCode(MachineCode.remoteDisk) && error.kind == .unsupported)
    }

    @Test func proxmox() throws {
        let machine = try ProxmoxDescription.read(
            Array(
                """
                #a note
                bios: ovmf
                boot: order=scsi0;ide2;net0
                cores: 2
                efidisk0: local-lvm:vm-100-disk-0,size=4M
                ide2: none,media=cdrom
                memory: 2048
                name: web
                net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1
                ostype: l26
                scsi0: local-lvm:vm-100-disk-1,iothread=1,size=32G
                scsihw: virtio-scsi-single
                smbios1: uuid=5e2b3c1a-0000-4000-8000-000000000001
                sockets: 2
                unused0: local-lvm:vm-100-disk-9
                virtio1: local:100/vm-100-disk-2.qcow2,size=8G

                [before-update]
                bios: seabios
                scsi0: local-lvm:old,size=1G
                """.utf8))
        #expect(machine.name == "web" && machine.firmware == .uefi && machine.processorCount == 4)
        #expect(machine.disks.map(\.file) == ["local-lvm:vm-100-disk-1", "local:100/vm-100-disk-2.qcow2"])
        #expect(machine.disks.map(\.byteCount) == [32 << 30, 8 << 30])
        #expect(machine.disks[0].controller == DiskController(.virtioSCSI) && machine.disks[0].isStarted)
        #expect(
            machine.cards.first?.address == "bc:24:11:00:00:01" && machine.cards.first?.network == "vmbr0")
        #expect(machine.identifier?.description == "5e2b3c1a-0000-4000-8000-000000000001")
    }

    @Test func proxmoxOfImpossibleSizes() throws {
        let text = "scsi0: local:1,size=99999999999T\nmemory: 1\n"
        let error = try #require(throws: StorageError.self) { try ProxmoxDescription.read(Array(text.utf8)) }
        #expect(error.isCode(MachineCode.badNumber))
    }

    @Test(arguments: [
        ("<?xml version='1.0'?><ovf:Envelope/>", DescriptionLanguage?.some(.ovf)),
        ("<domain type='kvm'>", .libvirt),
        ("<!-- <Envelope> --><VirtualBox>", .virtualbox), ("config.version = \"8\"\n", .vmx),
        ("scsi0:0.fileName = \"x.vmdk\"\n", .vmx),
        ("# Disk DescriptorFile\nversion=1\nscsi0:0.fileName=1\n", nil),
        ("memory: 1\nscsi0: local:x\n", .proxmox), ("scsi0: local:x\nnot a row\nmemory: 1\n", nil),
        ("<html>", nil), ("plain words", nil), ("\u{0}<domain>", nil), ("", nil),
    ])
    func recognition(_ text: String, _ language: DescriptionLanguage?) {
        #expect(DescriptionLanguage.recognise(Array(text.utf8)) == language)
    }
}
